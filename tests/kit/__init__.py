"""What the tests speak with: a daemon to start, scripted peers, and waits that have a name."""

from tests.kit.command import command
from tests.kit.daemon import Daemon, Start
from tests.kit.echo import Echo, UdpEcho, ask, ask_udp
from tests.kit.nameserver import Manner, Nameserver
from tests.kit.needs import find_program, needs
from tests.kit.ports import free_port
from tests.kit.processes import descriptors, is_alive
from tests.kit.tcp import Client, Peer, Server
from tests.kit.udp import Datagram, UdpClient, UdpServer
from tests.kit.wait import wait_until

__all__ = [
    "Client",
    "Daemon",
    "Datagram",
    "Echo",
    "Manner",
    "Nameserver",
    "Peer",
    "Server",
    "Start",
    "UdpClient",
    "UdpEcho",
    "UdpServer",
    "ask",
    "ask_udp",
    "command",
    "descriptors",
    "find_program",
    "free_port",
    "is_alive",
    "needs",
    "wait_until",
]
