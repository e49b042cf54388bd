"""What is told of a session, by the names of the access log (docs/access-log.md): in the log, and by the admin API."""

import os

from l4d.log.escape import unicode_only
from l4d.log.moment import rfc_3339
from l4d.session.ids import id_text
from l4d.session.session import Session
from l4d.terms import End


def facts_of(session: Session, now: float, wall: float, end: End | None = None) -> dict[str, object]:
    """The facts of *session* as JSON has them: text, numbers, None for what there is not.

    *now* is monotonic seconds, *wall* the seconds since 1970 at that moment; *end* is None while it lives. Who relays
    brings the session's numbers up to date first.
    """
    service, server = session.service, session.dialled
    return {
        "time": rfc_3339(wall - now + session.started),
        "listener": service.listener.name,
        "protocol": service.listener.protocol.value,
        "client": unicode_only(address_text(session.client)),
        "local": unicode_only(address_text(session.local)),
        "upstream": service.upstream.name,
        "server": str(server.address_for(session.port)) if server else None,
        "server_name": server.name if server else None,
        "bytes_up": session.bytes_up,
        "bytes_down": session.bytes_down,
        "datagrams_up": session.datagrams_up,
        "datagrams_down": session.datagrams_down,
        "connect_ms": round((session.connected - session.started) * 1000, 3) if session.connected else None,
        "duration_ms": round((now - session.started) * 1000, 3),
        "tries": session.tries,
        "end": end.value if end else None,
        "end_text": end.words if end else None,
        "sni": None,
        "proxied_by": None,
        "worker": service.worker,
        "generation": service.generation,
        "id": id_text(session.id),
    }


def address_text(sockaddr: object) -> str:
    """A socket address as the kernel gave it, as text: what a client of a unix socket calls itself is not escaped.

    A client of a unix socket need not have a name. One that is no path (an abstract one) is written with an "@".
    """
    if isinstance(sockaddr, tuple):
        host = sockaddr[0]
        return f"[{host}]:{sockaddr[1]}" if ":" in host else f"{host}:{sockaddr[1]}"
    if isinstance(sockaddr, bytes):
        return f"unix:@{os.fsdecode(sockaddr[1:])}"
    return f"unix:{sockaddr}"
