"""The configuration of a run's l4d, and the changes that are made to it."""

from dataclasses import dataclass

from l4d.address import Inet


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be another one from reload to reload."""

    workers: int = 2
    idle_minutes: int = 10
    another_listener: bool = False


@dataclass(frozen=True, slots=True)
class Servers:
    """Whom clients are taken to."""

    echo: list[Inet]
    stream: Inet
    postgres: Inet


FLOWS_IDLE = 8
"""Seconds. Longer than any process stands still, or a flow would end by itself."""


def toml(settings: Settings, servers: Servers, pid_file: str) -> str:
    """The file. Its listeners: echo and flows, before the same servers; stream; postgres."""
    echo = ", ".join(f'"{server}"' for server in servers.echo)
    another = _LISTENER.format(name="another", upstream="echo") if settings.another_listener else ""
    return f"""
[main]
workers = {settings.workers}
pid_file = "{pid_file}"
rlimit_nofile = 8192
drain_timeout = "10s"

[defaults.listeners]
bind = "127.0.0.1:0"

[listeners.echo]
upstream = "echo"
idle_timeout = "{settings.idle_minutes}m"

[listeners.flows]
protocol = "udp"
upstream = "flows"
idle_timeout = "{FLOWS_IDLE}s"
{_LISTENER.format(name="stream", upstream="stream")}
{_LISTENER.format(name="postgres", upstream="postgres")}
{another}
[upstreams.echo]
servers = [{echo}]
check = {{ type = "tcp", interval = "500ms" }}

[upstreams.flows]
servers = [{echo}]
check = {{ type = "tcp", interval = "500ms" }}

[upstreams.stream]
servers = ["{servers.stream}"]

[upstreams.postgres]
servers = ["{servers.postgres}"]
"""


_LISTENER = """
[listeners.{name}]
upstream = "{upstream}"
"""
