"""Who else holds an address: for the message that says it is in use."""

from l4d.address import Address, Inet
from l4d.terms import Protocol


def who_holds(protocol: Protocol, address: Address) -> str:
    """ ", by nginx (pid 123)", or "" when it cannot be told."""
    if not isinstance(address, Inet):
        return ""
    import psutil  # only needed when something is wrong already

    try:
        for connection in psutil.net_connections(protocol.value):
            if _holds(connection.laddr, address) and connection.pid and not connection.raddr:
                return f", by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""


def _holds(local: object, address: Inet) -> bool:
    port = getattr(local, "port", 0)
    host = getattr(local, "ip", "")
    return port == address.port and (host == address.host or host in {"0.0.0.0", "::"} or address.wildcard)  # noqa: S104
