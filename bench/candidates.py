"""Who is measured: l4d, as it is and compiled, nginx with two sizes of buffer, HAProxy, and the direct path."""

import filecmp
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import configs
from bench.configs import Front
from bench.cost import family
from bench.places import Where
from bench.programs import ROOT, BenchError, Process, find_program
from bench.stage import Stage
from l4d.terms import Protocol

_LISTENING = "0A"  # the state of a TCP socket in /proc/net/tcp
_BOTH = (Protocol.TCP, Protocol.UDP)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a load maker goes, and who is between: nobody on the direct path."""

    host: str
    port: int
    process: Process | None = None

    def pids(self) -> list[int]:
        """Of all processes of the proxy."""
        return family(self.process.pid) if self.process else []


Write = Callable[[Front, Path], tuple[str, list[str]]]
"""The text of the configuration for a front, and the command line that serves the file it will be in."""


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    write: Write | None = None  # none: the direct path
    protocols: Sequence[Protocol] = _BOTH
    outside: bool = False  # not an l4d, nor the direct path
    ready: str = ""  # what it says when it is ready, beyond listening
    missing: str = field(default="", compare=False)  # why it cannot be measured here

    def start(
        self, stage: Stage, protocol: Protocol, servers: Sequence[str], workers: int = 1, ports: int = 1
    ) -> Target:
        """A proxy of its own, ready, in front of *servers*, which ends with the stage. The last of its ports counts."""
        process, target = self.launch(stage, protocol, servers, workers, ports)
        if process is not None:
            stage.keep(process)
        return target

    def launch(
        self, stage: Stage, protocol: Protocol, servers: Sequence[str], workers: int = 1, ports: int = 1
    ) -> tuple[Process | None, Target]:
        """The same, and whoever called ends it."""
        if self.write is None:
            host, _, port = servers[0].rpartition(":")
            return None, Target(host, int(port))
        numbers = [stage.port() for _ in range(ports)]
        front = Front(protocol, stage.host(Where.PROXY), numbers, servers, workers)
        folder = stage.folder / f"{self.name}-{numbers[0]}".replace(" ", "-")
        folder.mkdir()
        text, line = self.write(front, folder / "config")
        (folder / "config").write_text(text, encoding="utf-8")
        process = stage.start(Where.PROXY, line)
        try:
            wait_ready(process, protocol, numbers[-1], self.ready)
        except BaseException:
            process.end()
            raise
        return process, Target(front.host, numbers[-1], process)


def wait_ready(process: Process, protocol: Protocol, port: int, word: str = "") -> None:
    """Until the port is open in the process's own namespace, seen from outside, and it has said the *word*."""
    process.wait_until(f"it listens on port {port}", lambda: is_open(process.pid, protocol, port))
    process.wait_until(f"it says {word!r}", lambda: word in process.output())


def is_open(pid: int, protocol: Protocol, port: int) -> bool:
    """Whether somebody in the process's namespace listens there."""
    try:
        lines = Path(f"/proc/{pid}/net/{protocol.value}").read_text("utf-8").splitlines()[1:]
    except OSError:
        return False
    wanted = f":{port:04X}"
    rows = (line.split() for line in lines)
    return any(row[1].endswith(wanted) and (protocol is Protocol.UDP or row[3] == _LISTENING) for row in rows)


DIRECT = "direct"
L4D = "l4d"
COMPILED = "l4d compiled"


def l4d(name: str, command: Sequence[str]) -> Candidate:
    """An l4d: this one, or another one beside it."""
    write: Write = lambda front, path: (configs.l4d(front), [*command, "-c", str(path)])
    return Candidate(name, write, ready="ready: generation")


def all_candidates(command: Sequence[str], beside: dict[str, list[str]]) -> list[Candidate]:
    """l4d as *command* starts it, those *beside* it, the others, and the direct path."""
    return [
        l4d(L4D, command),
        _compiled(),
        *(l4d(name, other) for name, other in beside.items()),
        _nginx("nginx 16k", "16k"),
        _nginx("nginx 256k", "256k", (Protocol.TCP,)),
        _haproxy(),
        Candidate(DIRECT),
    ]


def _compiled() -> Candidate:
    """What `make compiled` has built of this source."""
    place = ROOT / "build" / "compiled"
    command = ["env", f"PYTHONPATH={place}", sys.executable, "-m", "l4d"]
    return replace(l4d(COMPILED, command), missing=_missing_compiled(place))


def _missing_compiled(place: Path) -> str:
    """Why there is none, for this Python and of this source."""
    built = place / "l4d" / "loop" / f"loop{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not built.exists():
        return f"{COMPILED} is not built (make compiled): its columns are empty"
    sources = [path.relative_to(ROOT) for path in (ROOT / "setup.py", *(ROOT / "l4d").rglob("*.py"))]
    same, _other, _missing = filecmp.cmpfiles(ROOT, place, sources, shallow=False)
    if len(same) < len(sources):
        return f"{COMPILED} is of another source (make compiled): its columns are empty"
    return ""


def _nginx(name: str, buffer: str, protocols: Sequence[Protocol] = _BOTH) -> Candidate:
    def write(front: Front, path: Path) -> tuple[str, list[str]]:
        line = ["nginx", "-c", str(path), "-p", str(path.parent), "-e", str(path.parent / "nginx.log")]
        return configs.nginx(front, path.parent, buffer), line

    return Candidate(name, write, protocols, outside=True, missing=_missing_nginx())


def _missing_nginx() -> str:
    nginx = find_program("nginx")
    if nginx is None:
        return "nginx is not installed: its columns are empty"
    built_with = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=False).stderr
    if not configs.stream_module() and not re.search(r"--with-stream(?!\S)", built_with):
        return "nginx has no stream module (libnginx-mod-stream): its columns are empty"
    return ""


def _haproxy() -> Candidate:
    missing = "" if find_program("haproxy") else "haproxy is not installed: its column is empty"
    line = ["haproxy", "-db", "-q", "-f"]
    write: Write = lambda front, path: (configs.haproxy(front), [*line, str(path)])
    return Candidate("HAProxy", write, (Protocol.TCP,), outside=True, missing=missing)


def choose(everybody: Sequence[Candidate], names: Sequence[str]) -> list[Candidate]:
    """Those whose name begins with one of *names*; all without a name. Every l4d and the direct path stay."""
    known = [candidate.name.lower() for candidate in everybody]
    unknown = [name for name in names if not any(each.startswith(name.lower()) for each in known)]
    if unknown:
        raise BenchError(f"no such candidate: {', '.join(unknown)}; there are {', '.join(known)}")
    wanted = tuple(name.lower() for name in names)
    others = [each for each in everybody if each.outside]
    left_out = [each for each in others if names and not each.name.lower().startswith(wanted)]
    return [each for each in everybody if each not in left_out]
