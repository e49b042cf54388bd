"""The same work in each candidate's own words.

Only what the comparison needs is set: workers, addresses, long timeouts, room for connections. Everything else is as
each ships it.
"""

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from l4d.terms import Protocol

_NGINX_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")


@dataclass(frozen=True, slots=True)
class Front:
    """What a proxy is asked to do: clients of every port are taken to the servers in turn."""

    protocol: Protocol
    host: str
    ports: Sequence[int]
    servers: Sequence[str]
    workers: int = 1


def descriptors() -> int:
    """How many a process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def l4d(front: Front) -> str:
    """One listener a port."""
    lines = ["[main]", f"workers = {front.workers}", ""]
    for number, port in enumerate(front.ports):
        lines += [f"[listeners.work{number}]", f'bind = "{front.host}:{port}"', f'protocol = "{front.protocol.value}"']
        lines += ['upstream = "work"', 'idle_timeout = "10m"', ""]
    servers = ", ".join(f'"{server}"' for server in front.servers)
    return "\n".join([*lines, "[upstreams.work]", f"servers = [{servers}]", ""])


def nginx(front: Front, folder: Path, buffer: str) -> str:
    """The stream module as it is; *buffer* is the proxy_buffer_size."""
    udp = " udp" if front.protocol is Protocol.UDP else ""
    listeners = [f"  server {{ listen {front.host}:{port}{udp} reuseport; proxy_pass work; }}" for port in front.ports]
    return "\n".join(
        [
            *(f"load_module {path};" for path in stream_module()),
            *nginx_head(folder, front.workers),
            "stream {",
            f"  proxy_buffer_size {buffer};",
            "  proxy_timeout 10m;",
            "  upstream work {",
            *(f"    server {server};" for server in front.servers),
            "  }",
            *listeners,
            "}",
            "",
        ]
    )


def stream_module() -> list[str]:
    """Where nginx's stream module is, if it is a file of its own."""
    places = [f"{folder}/ngx_stream_module.so" for folder in _NGINX_MODULES]
    return [place for place in places if Path(place).exists()][:1]


def nginx_head(folder: Path, workers: int) -> list[str]:
    """What every nginx of ours begins with: in the foreground, a single process if one worker will do."""
    return [
        *(["user root;"] if os.geteuid() == 0 else []),
        "daemon off;",
        f"master_process {'on' if workers > 1 else 'off'};",
        f"worker_processes {workers};",
        f"pid {folder}/nginx.pid;",
        f"error_log {folder}/nginx.log warn;",
        f"events {{ worker_connections {descriptors() - 100}; }}",
    ]


def haproxy(front: Front) -> str:
    """Spliced where HAProxy thinks it pays."""
    pipes = 500
    most = (descriptors() - 2 * pipes - 600) // 2
    return "\n".join(
        [
            "global",
            f"  nbthread {front.workers}",
            f"  maxconn {most}",
            f"  maxpipes {pipes}",
            "defaults",
            "  mode tcp",
            f"  maxconn {most}",
            "  option splice-auto",
            "  timeout connect 5s",
            "  timeout client 10m",
            "  timeout server 10m",
            "listen work",
            *(f"  bind {front.host}:{port}" for port in front.ports),
            *(f"  server s{number} {server}" for number, server in enumerate(front.servers)),
            "",
        ]
    )
