"""Ping-pong over UDP: dnsperf against unbound, which answers a name it was told from memory.

A question is 35 bytes, an answer 51. dnsperf runs on; what unbound has answered by its own count, in a window of
time, is the rate.
"""

import socket
from collections.abc import Sequence

from bench.candidates import Candidate, Target, wait_ready
from bench.places import Where
from bench.scenario import Contender, Sample, contenders, steady
from bench.stage import Stage
from l4d.terms import Protocol

NEEDS = ("dnsperf", "unbound")

FLOWS = 32


class Resolver:
    """An unbound that asks nobody. It tells its count by a unix socket, past every namespace."""

    def __init__(self, stage: Stage) -> None:
        self.port = stage.port()
        self.address = f"{stage.host(Where.SERVER)}:{self.port}"
        folder = stage.folder / "unbound"
        folder.mkdir()
        self._path = folder / "control"
        (folder / "config").write_text(
            f"""server:
    interface: {self.address.replace(":", "@")}
    access-control: 0.0.0.0/0 allow
    do-daemonize: no
    use-syslog: no
    logfile: ""
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{folder}"
    module-config: "iterator"
    num-threads: 1
    so-rcvbuf: 4m
    local-zone: "example.test." static
    local-data: "host.example.test. A 192.0.2.1"
remote-control:
    control-enable: yes
    control-interface: {self._path}
    control-use-cert: no
""",
            encoding="utf-8",
        )
        process = stage.keep(stage.start(Where.SERVER, ["unbound", "-d", "-c", str(folder / "config")]))
        wait_ready(process, Protocol.UDP, self.port)
        process.wait_until("it has started", lambda: "start of service" in process.output())

    def answered(self) -> float:
        """How many questions so far."""
        with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as lines:
            sock.settimeout(10)
            sock.connect(str(self._path))
            sock.sendall(b"UBCT1 stats_noreset\n")
            text = lines.read().decode()
        return float(text.partition("total.num.queries=")[2].split()[0])


def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
    """Every candidate in turn, 32 flows with one question on its way on each."""
    resolver = Resolver(stage)
    questions = stage.folder / "questions"
    questions.write_text("host.example.test A\n", encoding="utf-8")

    def ask(target: Target) -> Sample:
        line = ["dnsperf", "-s", target.host, "-p", str(target.port), "-d", str(questions), "-t", "1", "-l", "600"]
        with stage.start(Where.CLIENT, [*line, "-c", str(FLOWS), "-q", str(FLOWS)]) as dnsperf:
            before = resolver.answered()
            dnsperf.wait_until("the first question is answered", lambda: resolver.answered() > before + FLOWS)
            return steady(resolver.answered, target, stage)

    def contender(candidate: Candidate) -> Contender:
        target = candidate.start(stage, Protocol.UDP, [resolver.address])
        return Contender(candidate.name, lambda: ask(target))

    return contenders(stage, candidates, contender)
