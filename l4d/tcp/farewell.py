"""The last stage of a session that ends with a reset: what was sent arrives first, then the RST.

A server that answers and closes with unread input resets the connection. Its client must get the whole answer and
then the reset, but a reset throws away what the kernel has not sent yet. So the kernel is asked until the peer has
acknowledged all (SIOCOUTQ, tcp(7)); only then the socket is closed.
"""

import fcntl
import socket
import struct

from l4d.linux import options
from l4d.session.session import Session
from l4d.tcp.service import FAREWELL_LOOK, TcpService
from l4d.terms import End

TCP_CLOSE = 7
"""A connection that is over on both sides (TCP_INFO's first byte, linux/tcp.h)."""


class Farewell:
    """A socket on its way out. The session is over when the socket is closed."""

    __slots__ = ("_end", "_looks", "_reset", "_session", "_sock", "_tcp")

    def __init__(self, tcp: TcpService, session: Session, sock: socket.socket, end: End, *, reset: bool) -> None:
        """*sock* is out of the epoll set; with *reset* it is closed by RST, else by FIN."""
        self._tcp = tcp
        self._session = session
        self._sock = sock
        self._end = end
        self._reset = reset
        self._looks = round((tcp.service.listener.half_close_timeout or 60) / FAREWELL_LOOK)

    def look(self) -> None:
        """Close if the peer has everything, or has had its time; else look again soon."""
        self._looks -= 1
        if self._looks <= 0 or everything_arrived(self._sock):
            self._close(self._end)
        else:
            self._tcp.leaving.enter(self, self._tcp.service.loop.now)

    def stop(self) -> None:
        """The worker ends now."""
        self._tcp.leaving.leave(self)
        self._close(self._end)

    def _close(self, end: End) -> None:
        if self._reset:
            options.reset_on_close(self._sock)
        self._tcp.service.loop.close(self._sock, self._sock.fileno())
        self._session.over(end)


def everything_arrived(sock: socket.socket) -> bool:
    """Whether the peer has acknowledged all that was sent, or is gone."""
    unsent: int = struct.unpack("i", fcntl.ioctl(sock, options.SIOCOUTQ, bytes(4)))[0]
    if not unsent:
        return True
    if sock.family == socket.AF_UNIX:
        return False
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE
