"""What the admin API says of a small l4d: documents for FakeAdmin, to change as a test likes."""

from typing import Any

NOW = "2026-11-25T12:00:00.000Z"


def server(name: str = "one", **other: Any) -> dict[str, Any]:
    """One server of /upstreams: up, with ten sessions."""
    return {
        "name": name,
        "address": "10.0.0.1:5432",
        "verdict": "up",
        "state": "ready",
        "serving": True,
        "why": "",
        "since": "2026-11-25T11:00:00.000Z",
        "reason": None,
        "weight": 1,
        "max_sessions": 0,
        "backup": False,
        "sessions": 10,
        "sessions_total": 12345,
        "bytes_up": 1_000_000,
        "bytes_down": 2_000_000_000,
        "failures": {},
        "checks": {"good": 100, "failed": 0},
        "out_seconds": 0,
        "connect_ms": {"mean": 1.5, "p50": 1.2, "p99": 7.5},
        "wishes": {},
        "agent": None,
        **other,
    }


def down_server(name: str = "two", **other: Any) -> dict[str, Any]:
    """One that its checks have found down."""
    words = "checks: connection refused"
    off = {
        "address": "10.0.0.2:5432",
        "verdict": "down",
        "serving": False,
        "why": words,
        "reason": "connection refused",
    }
    counted = {"sessions": 0, "failures": {"refused": 3}, "checks": {"good": 1, "failed": 4}, "connect_ms": None}
    return server(name, **{**off, **counted, **other})


def upstream(name: str = "pg", *servers: dict[str, Any], **other: Any) -> dict[str, Any]:
    members = list(servers) or [server(), down_server()]
    up = sum(one["serving"] for one in members)
    told = {"name": name, "balance": "least_conn", "check": "tcp", "queued": 0, "up": up}
    return {**told, "listeners": ["db"], "servers": members, **other}


def listener(name: str = "db", **other: Any) -> dict[str, Any]:
    """One listener of /listeners."""
    return {
        "name": name,
        "protocol": "tcp",
        "addresses": ["127.0.0.1:4000"],
        "upstream": "pg",
        "sessions": 10,
        "sessions_total": 23456,
        "bytes_up": 1_000_000,
        "bytes_down": 2_000_000_000,
        "datagrams_up": 0,
        "datagrams_down": 0,
        "dropped": {},
        "refused": {},
        "ends": {"--": 23440, "SC": 6},
        "duration_ms": {"mean": 20.0, "p50": 10.0, "p99": 99.0},
        **other,
    }


def session(**other: Any) -> dict[str, Any]:
    """A session that lives."""
    return {
        "time": "2026-11-25T11:59:00.000Z",
        "listener": "db",
        "protocol": "tcp",
        "client": "10.9.8.7:5000",
        "local": "127.0.0.1:4000",
        "upstream": "pg",
        "server": "10.0.0.1:5432",
        "server_name": "one",
        "bytes_up": 100,
        "bytes_down": 20_000,
        "datagrams_up": 0,
        "datagrams_down": 0,
        "connect_ms": 1.2,
        "duration_ms": 60_000.0,
        "tries": 1,
        "end": None,
        "end_text": None,
        "id": "00000000000000a1",
        "phase": "relay",
        "idle_ms": 500.0,
        "worker": 0,
        "generation": 3,
        "retired": False,
        **other,
    }


def ended(end: str = "SC", words: str = "no server accepted", **other: Any) -> dict[str, Any]:
    """A session that is over."""
    return {**session(), "end": end, "end_text": words, "server": None, "server_name": None, **other}


def sessions(*found: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"sessions": list(found), "total": len(found), "limit": 1000, "silent": [], **other}


def worker(slot: int = 0, **other: Any) -> dict[str, Any]:
    """One worker of /workers."""
    return {
        "slot": slot,
        "generation": 3,
        "pid": 4711 + slot,
        "state": "serving",
        "heartbeat_age_seconds": 0.3,
        "sessions": 5,
        "cpu_seconds": 12.5,
        "cpu_percent": 3.4,
        "resident_bytes": 25_000_000,
        "turns": {"count": 1000, "mean_ms": 0.1, "p50_ms": 0.1, "p99_ms": 0.9, "recent_p99_ms": 0.8, "slow": 0},
        **other,
    }


def status(**other: Any) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "generation": 3,
        "pid": 4700,
        "started": "2026-11-25T08:48:00.000Z",
        "uptime_seconds": 11520.0,
        "time": NOW,
        "config": "/etc/l4d/l4d.toml",
        "healthy": True,
        "problems": [],
        "sessions": 10,
        "sessions_total": 23456,
        "handed_over_total": {"tcp": 5, "udp": 0},
        "bytes_up_total": 1_000_000,
        "bytes_down_total": 2_000_000_000,
        "datagrams_up_total": 0,
        "datagrams_down_total": 0,
        "ends": {"--": 23440, "SC": 6},
        "log_lines_dropped_total": 0,
        "process_restarts_total": {"worker": 0, "control": 0},
        "reloads": [
            {"time": "2026-11-25T11:55:00.000Z", "what": "reload", "result": "success", "generation": 3, "message": ""}
        ],
        "newest_ends": [ended()],
        "history": {
            "interval_seconds": 1.0,
            "time": [1764072000.0],
            "sessions": [10],
            "new_sessions": [12.0],
            "bytes_up": [1000.0],
            "bytes_down": [200_000.0],
            "failures": [0.0],
        },
        **other,
    }


def everything() -> dict[tuple[str, str], Any]:
    """All that `status`, `servers` and `top` ask for."""
    return {
        ("GET", "status"): status(),
        ("GET", "listeners"): {"listeners": [listener()]},
        ("GET", "upstreams"): {"upstreams": [upstream()]},
        ("GET", "upstreams/pg"): upstream(),
        ("GET", "workers"): {"workers": [worker(0), worker(1)], "control": {}, "master": {}},
        ("GET", "sessions"): sessions(session()),
    }
