"""The facts of a session, written down for another worker and taken up from there."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from l4d.handover.record import Kind, Record
from l4d.session.service import Service
from l4d.session.session import Session
from l4d.upstream.server import Server

MOST_TRIED: Final = 16
"""So many of the servers that were tried for a session are told; the others may be tried again."""

Find: TypeAlias = Callable[[Sequence[str]], Server | None]
"""The server that has this identity (see `identity`), None: nobody here knows it."""


def identity(server: Server) -> list[str]:
    """Upstream, name and address: who a server is, in any generation."""
    return [server.upstream, server.name, str(server.address)]


def record_of(session: Session, kind: Kind) -> Record:
    """What every record of a session has."""
    record = Record(kind.value, session.service.listener.name)
    record.client = session.client
    record.local = session.local
    record.port = session.port
    record.id = session.id
    record.started = session.started
    record.connected = session.connected
    record.tries = session.tries
    record.bytes_up, record.bytes_down = session.bytes_up, session.bytes_down
    record.datagrams_up, record.datagrams_down = session.datagrams_up, session.datagrams_down
    if session.server is not None:
        record.server = identity(session.server)
    return record


def session_of(service: Service, record: Record, descriptors: int, server: Server | None) -> Session:
    """The session of *record*, counted here from now on; *server* is the one that serves it."""
    session = Session(service, record.client, record.port, descriptors, local=record.local, moved=True)
    session.id = record.id or session.id
    session.started = record.started
    session.connected = record.connected
    session.tries = record.tries
    session.bytes_up, session.bytes_down = record.bytes_up, record.bytes_down
    session.datagrams_up, session.datagrams_down = record.datagrams_up, record.datagrams_down
    if server is not None:
        session.resume(server)
    return session


def told(servers: Sequence[Server]) -> list[list[str]]:
    """Those that were tried, or are avoided; the last of them, if they are many."""
    return [identity(server) for server in servers[-MOST_TRIED:]]


def found(identities: Sequence[Sequence[str]], find: Find) -> tuple[Server, ...]:
    """Those of them that there still are."""
    servers = (find(one) for one in identities)
    return tuple(server for server in servers if server is not None)
