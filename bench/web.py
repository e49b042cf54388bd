"""Connect, request, answer, close: wrk with "Connection: close" against an nginx that answers 64 bytes.

wrk runs on; what the server has answered by its own count (stub_status), in a window of time, is the rate.
"""

import socket
from collections.abc import Sequence

from bench import configs
from bench.candidates import Candidate, Target, wait_ready
from bench.places import Where
from bench.programs import BenchError
from bench.scenario import Contender, Sample, contenders, steady
from bench.stage import Stage
from l4d.terms import Protocol

NEEDS = ("wrk", "nginx")

CONNECTIONS = 32


class Web:
    """One origin at one or more addresses. It tells its count by a unix socket, past every namespace."""

    def __init__(self, stage: Stage, addresses: int = 1) -> None:
        self.port = stage.port()
        self.addresses = [f"{host}:{self.port}" for host in stage.place.server_hosts(addresses)]
        folder = stage.folder / "web"
        folder.mkdir()
        self._path = folder / "status"
        (folder / "config").write_text(
            "\n".join(
                [
                    *configs.nginx_head(folder, 1),
                    "http {",
                    "  access_log off;",
                    *(
                        f"  {kind}_temp_path {folder}/{kind};"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                    ),
                    "  server {",
                    *(f"    listen {address} backlog=4096;" for address in self.addresses),
                    f'    location / {{ return 200 "{"x" * 63}\\n"; }}',
                    "  }",
                    f"  server {{ listen unix:{self._path}; location / {{ stub_status; }} }}",
                    "}",
                    "",
                ]
            ),
            encoding="utf-8",
        )
        line = ["nginx", "-c", str(folder / "config"), "-p", str(folder), "-e", str(folder / "log")]
        process = stage.keep(stage.start(Where.SERVER, line))
        wait_ready(process, Protocol.TCP, self.port)

    def answered(self) -> float:
        """How many requests so far."""
        with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as lines:
            sock.settimeout(10)
            sock.connect(str(self._path))
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            words = lines.read().decode().split()
        return float(words[words.index("Reading:") - 1])


def connect_and_close(web: Web, target: Target, stage: Stage) -> Sample:
    """As many connections a second as go, 32 at a time. Raises BenchError if none was answered."""
    load = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "10m", "-H", "Connection: close"]
    with stage.start(Where.CLIENT, [*load, f"http://{target.host}:{target.port}/"]) as wrk:
        wrk.wait_until("wrk works", lambda: True)
        sample = steady(web.answered, target, stage)
    if sample.operations < CONNECTIONS:
        raise BenchError(f"only {sample.operations:g} connections were answered: {wrk.output().strip()[-300:]}")
    return sample


def prepare(stage: Stage, candidates: Sequence[Candidate]) -> list[Contender]:
    """Every candidate in turn."""
    web = Web(stage)

    def contender(candidate: Candidate) -> Contender:
        target = candidate.start(stage, Protocol.TCP, web.addresses)
        return Contender(candidate.name, lambda: connect_and_close(web, target, stage))

    return contenders(stage, candidates, contender)
