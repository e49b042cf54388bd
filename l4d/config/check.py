"""What can only be judged with several tables in view: whether the parts of a configuration fit together."""

import socket
from typing import TypeAlias

from l4d.address import SAME_PORT, Address, Host, Inet, Srv, Unix
from l4d.config.addresses import Written, dial_written
from l4d.config.draft import Draft
from l4d.config.kinds import Values
from l4d.config.model import MOST_NAMES, Check, Server
from l4d.config.positions import KeyPath
from l4d.config.problems import Problems
from l4d.config.suggest import did_you_mean
from l4d.config.values import duration_written
from l4d.terms import CheckType, Protocol

Owners: TypeAlias = dict[tuple[Protocol, Address], KeyPath]
"""Where each address is bound, by its first place."""

_FAMILIES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


def check(draft: Draft, problems: Problems) -> None:
    """Notes everything that does not fit."""
    if draft.main["group"] and not draft.main["user"]:
        problems.add(("main", "group"), "has no effect without 'user'")
    _ttls_fit(draft.resolver, problems)
    users: dict[str, dict[str, Values]] = {name: {} for name in draft.upstreams}
    for name, listener in draft.listeners.items():
        _upstream_exists(("listeners", name, "upstream"), listener, draft.upstreams, problems)
        users.setdefault(listener.get("upstream", ""), {})[name] = listener
    _names_fit(draft.upstreams, problems)
    for name, upstream in draft.upstreams.items():
        _upstream_fits(("upstreams", name), upstream, users[name], problems)
    # Last: above, a `bind` with problems is one that could not be read.
    _bound_once(draft.admin, draft.listeners, problems)


def _ttls_fit(resolver: Values, problems: Problems) -> None:
    least, most = resolver["min_ttl"], resolver["max_ttl"]
    if least > most and not problems.within(("resolver", "min_ttl")) and not problems.within(("resolver", "max_ttl")):
        words = f"is {duration_written(least)}, and 'max_ttl' is only {duration_written(most)}"
        problems.add(("resolver", "min_ttl"), words)


def _upstream_exists(path: KeyPath, listener: Values, upstreams: dict[str, Values], problems: Problems) -> None:
    name = listener.get("upstream")
    if name is not None and name not in upstreams:
        problems.add(path, f"there is no upstream '{name}'{did_you_mean(name, upstreams)}")


def _names_fit(upstreams: dict[str, Values], problems: Problems) -> None:
    """Each name has its place on the board, with all the addresses it may have."""
    names = [
        ("upstreams", name, "servers", index)
        for name, upstream in upstreams.items()
        for index, server in upstream.get("servers", {}).items()
        if server.named
    ]
    if len(names) > MOST_NAMES:
        problems.add(names[MOST_NAMES], f"is the {MOST_NAMES + 1}th server given by name; there may be {MOST_NAMES}")


def _bound_once(admin: Values, listeners: dict[str, Values], problems: Problems) -> None:
    """No two listeners, nor one twice, nor [admin], can have the same address. Port 0 is another one each time."""
    owners: Owners = {}
    if admin["socket"]:
        owners[Protocol.TCP, Unix(admin["socket"])] = ("admin", "socket")
    for address in admin["listen"].addresses:
        if address.port:
            owners[Protocol.TCP, address] = ("admin", "listen")
    for name, listener in listeners.items():
        if not _protocol_known(name, problems):
            continue
        for index, written in listener.get("bind", {}).items():
            path: KeyPath = ("listeners", name, "bind", index)
            _bind(path, listener["protocol"], written, owners, problems)


def _bind(path: KeyPath, protocol: Protocol, written: Written, owners: Owners, problems: Problems) -> None:
    """Takes every address of *written*; notes the first that is taken, and not a thousand of a range."""
    taken = False
    for address in written.addresses:
        if isinstance(address, Unix) and protocol is Protocol.UDP:
            problems.add(path, f"'{written.text}': a unix socket is for tcp listeners")
        elif isinstance(address, Inet) and address.port == 0:
            continue
        elif owners.setdefault((protocol, address), path) != path and not taken:
            taken = True
            problems.add_clash(path, f"{address} ({protocol.value})", owners[protocol, address])


def _protocol_known(listener: str, problems: Problems) -> bool:
    """Whether the protocol is what the operator meant, and not a stand-in for a wrong word."""
    wrong: tuple[KeyPath, ...] = (("listeners", listener, "protocol"), ("defaults", "listeners", "protocol"))
    return not any(problems.within(path) for path in wrong)


def _upstream_fits(path: KeyPath, upstream: Values, users: dict[str, Values], problems: Problems) -> None:
    servers: dict[int, Server] = upstream.get("servers", {})
    _named_once(path, servers, problems)
    _source_reaches(path, upstream["source"], servers, problems)
    for index, server in servers.items():
        at = (*path, "servers", index)
        if isinstance(server.address, Unix):
            _serves_tcp(at, server, users, problems)
        elif not isinstance(server.address, Srv) and server.address.port == SAME_PORT:
            _port_is_told(at, server.address, users, problems)
        _can_be_asked(at, server, upstream["check"], problems)


def _named_once(path: KeyPath, servers: dict[int, Server], problems: Problems) -> None:
    first: dict[str, int] = {}
    for index, server in servers.items():
        names = (server.name, *server.seats)
        taken = next((name for name in names if name in first), None)
        if taken is not None:
            at = f"servers[{first[taken]}]"
            problems.add((*path, "servers", index), f"'{taken}' is the name of {at} already; give it a 'name'")
        for name in names:
            first.setdefault(name, index)


def _source_reaches(path: KeyPath, source: str, servers: dict[int, Server], problems: Problems) -> None:
    """A server is dialled from an address of its own family."""
    if not source:
        return
    family = Inet(source, 0).family
    for index, server in servers.items():
        if isinstance(server.address, Inet) and server.address.family != family:
            message = f"'{source}' is {_FAMILIES[family]}, servers[{index}] is {_FAMILIES[server.address.family]}"
            problems.add((*path, "source"), message)


def _can_be_asked(path: KeyPath, server: Server, check: Check, problems: Problems) -> None:
    """A check needs to know where to ask, and what to expect there."""
    address = server.address
    if check.type is CheckType.OFF:
        return
    if isinstance(address, Unix):
        if why := _unix_misfit(check):
            problems.add(path, f"'{address}': a unix socket {why}")
    elif isinstance(address, Srv) or check.port or check.type is CheckType.EXEC:  # its program knows where to ask
        return
    elif address.port == SAME_PORT:
        problems.add(path, f"'{dial_written(address)}' has no port to check; give the check a 'port'")


def _unix_misfit(check: Check) -> str:
    """Why a unix socket cannot be asked; "" when it can."""
    if check.type in {CheckType.UDP, CheckType.DNS}:
        return f"cannot be asked by a check of type {check.type.value}"
    if check.port:
        return f"has no port {check.port} to check"
    secure = check.type is CheckType.TLS or check.tls
    if secure and check.verify and not check.server_name:
        return "has no address a certificate could be for; give the check a 'server_name'"
    return ""


def _serves_tcp(path: KeyPath, server: Server, users: dict[str, Values], problems: Problems) -> None:
    for name, listener in users.items():
        if listener["protocol"] is Protocol.UDP and _protocol_known(name, problems):
            problems.add(path, f"'{server.address}': a unix socket is for tcp, and listener '{name}' is udp")


def _port_is_told(path: KeyPath, address: Inet | Host, users: dict[str, Values], problems: Problems) -> None:
    """A server without a port has the one the client came to; there must be more than one to come to."""
    text = dial_written(address)
    if not users:
        problems.add(path, f"'{text}' has no port; write it as '{_with_port(address, None)}'")
    for name, listener in users.items():
        if problems.within(("listeners", name, "bind")):
            continue
        addresses = [one for written in listener.get("bind", {}).values() for one in written.addresses]
        ports = {one.port for one in addresses if isinstance(one, Inet)}
        port = ports.pop() if len(ports) == 1 else None
        if any(isinstance(one, Unix) for one in addresses):
            message = f"listener '{name}' has a unix socket, which has none to take; write it as"
            problems.add(path, f"'{text}' has no port, and {message} '{_with_port(address, port)}'")
        elif port:
            problems.add(path, f"'{text}' has no port; write it as '{_with_port(address, port)}'")


def _with_port(address: Inet | Host, port: int | None) -> str:
    return f"{str(address).removesuffix('0')}{port or 'PORT'}"
