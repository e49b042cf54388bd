"""What the demo shows, in words and small tables."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from l4d.cli.demo_clients import Asked
from l4d.cli.demo_proxy import DemoProxy
from l4d.cli.demo_servers import DemoServer
from l4d.terms import Protocol

_NETCAT = {Protocol.TCP: "nc", Protocol.UDP: "nc -u"}


def cast(proxy: DemoProxy, servers: Sequence[DemoServer]) -> str:
    """Who is on stage, and where."""
    addresses = [(f"l4d, {protocol.value}", str(address), proxy.pid) for protocol, address in proxy.addresses.items()]
    rows = [("", "address", "pid"), *addresses, *((each.name, str(each.address), each.pid) for each in servers)]
    return _part(
        "Three TCP servers and three UDP servers, and l4d in front of them",
        [f"{name:13}  {address:16}  {pid}" for name, address, pid in rows],
    )


def script(config: Path) -> str:
    """The configuration that plays."""
    return _part(f"The configuration, {config}", config.read_text(encoding="utf-8").splitlines())


def answers(asked: Mapping[Protocol, Asked]) -> str:
    """Which server answered which question."""
    width = max(len(name) for each in asked.values() for name in each.answers)
    table = zip(*(each.answers for each in asked.values()), strict=True)
    rows = [
        ("question", *(protocol.name for protocol in asked)),
        *((str(number), *names) for number, names in enumerate(table, 1)),
    ]
    lines = [f"{number:8}  " + "  ".join(f"{name:{width}}" for name in names) for number, *names in rows]
    return _part(
        "Questions asked through l4d, each from a new port, and who answered",
        [*lines, "", _verdict(asked.values()), "Each of l4d's two workers goes round on its own."],
    )


def _verdict(asked: Iterable[Asked]) -> str:
    if all(each.complete for each in asked):
        return "All were answered, and every server had its share."
    return "That is not as it should be: every question wants an answer, and every server a share."


def invitation(proxy: DemoProxy, servers: Sequence[DemoServer], socket_path: str) -> str:
    """What to try; the commands ask at *socket_path*, if there is one."""
    commands = {
        f"{_NETCAT[protocol]} {address.host} {address.port}": f"over {protocol.name}"
        for protocol, address in proxy.addresses.items()
    }
    commands[f"kill {servers[0].pid}"] = f"end {servers[0].name}: the others take its clients"
    commands[f"kill -HUP {proxy.pid}"] = "reload, after changing the configuration"
    lines = [f"{command:24}{meaning}" for command, meaning in commands.items()]
    lines += ["", "Each line you type into nc is answered; a new nc meets the next server."]
    lines += ["", f"The status page: {proxy.status_page}"]
    if socket_path:
        lines += ["", *_steering(servers[0], socket_path)]
    return _part("Try it, in another terminal", lines) + _part("What l4d logs; Ctrl-C ends it all", [])


def _steering(server: DemoServer, socket_path: str) -> Iterator[str]:
    """Commands for the running l4d, which are long lines."""
    l4d, there, name = _typed(), f"--socket {socket_path}", f"{server.protocol.value}/{server.name}"
    yield "The same in a terminal; q leaves:"
    yield f"  {l4d} top {there}"
    yield f"Give {server.name} nothing new, then sessions again:"
    yield f"  {l4d} drain {name} {there}"
    yield f"  {l4d} ready {name} {there}"
    yield "All that can be asked:"
    yield f"  {l4d} -h"


def _typed() -> str:
    """How l4d is typed in another terminal: as this one was, though perhaps in another folder."""
    program, found = os.path.abspath(sys.argv[0]), shutil.which("l4d")
    if found is not None and os.path.abspath(found) == program:
        return "l4d"
    return shlex.quote(program) if os.path.basename(program) == "l4d" else f"{shlex.quote(sys.executable)} -m l4d"


def log(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def loss(server: DemoServer, left: int) -> str:
    """A server has ended."""
    rest = {0: "nobody is left to answer"}.get(left, "l4d gives its clients to the others")
    return f"{server.name} has ended: {rest}\n"


def farewell() -> str:
    return "\n" + _strong("All of it has ended.") + "\n"


def _part(title: str, lines: Iterable[str]) -> str:
    body = "".join(f"  {line}".rstrip() + "\n" for line in lines)
    return f"\n{_strong(title)}\n\n{body}"


def _strong(text: str) -> str:
    return f"\033[1m{text}\033[0m" if _has_colours() else text


def _has_colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
