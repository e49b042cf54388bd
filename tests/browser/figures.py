"""What a running l4d could tell the status page: plausible answers of the admin API, without an l4d."""

import math
import random
import time
from typing import Any

from l4d.log.moment import rfc_3339

Answer = dict[str, Any]


def well() -> dict[str, Answer]:
    """A small l4d on a good day, by the question that gets each answer."""
    return {
        "status": status(),
        "listeners": {
            "listeners": [
                listener("postgres", ["0.0.0.0:5432"], "pg", sessions=184, total=91_204),
                listener("web", ["0.0.0.0:443", "[::]:443"], "web", sessions=1_024, total=4_812_377),
                listener("dns", ["0.0.0.0:53"], "dns", protocol="udp", sessions=212, total=18_220_431),
            ]
        },
        "upstreams": {
            "upstreams": [
                upstream("pg", [server("one", "10.0.0.1:5432"), server("two", "10.0.0.2:5432", weight=2)], "postgres"),
                upstream("web", [server(f"10.0.1.{n}:8443", f"10.0.1.{n}:8443") for n in range(1, 5)], "tls"),
                upstream("dns", [server("ns1", "10.0.2.1:53"), server("ns2", "10.0.2.2:53")], "dns"),
            ]
        },
        "workers": workers(2),
    }


def troubled() -> dict[str, Answer]:
    """The same on a bad day: servers down, out, drained, full; a slow worker; a reload that failed."""
    told = well()
    pg, web, dns = told["upstreams"]["upstreams"]
    hour_ago = rfc_3339(time.time() - 4_000)
    pg["servers"][0] |= {
        "verdict": "down",
        "serving": False,
        "why": "down by its checks",
        "since": rfc_3339(time.time() - 200),
        "reason": "FATAL: the database system is shutting down",
        "failures": {"refused": 412, "timeout": 31},
        "checks": {"good": 51_200, "failed": 97},
    }
    out, drained, resting, full = web["servers"]
    why = "out for 8 s more after 3 failed dials"
    out |= {"out_seconds": 7.4, "serving": False, "why": why, "failures": {"refused": 3}}
    drained |= {"state": "drain", "serving": False, "why": "drain, by the operator", "wishes": {"state": "drain"}}
    resting |= {"state": "maint", "serving": False, "why": "maint, in the file", "sessions": 0}
    full |= {"sessions": 500, "max_sessions": 500, "serving": False, "why": "full: 500 of max_sessions 500"}
    web |= {"up": 0, "queued": 17}
    pg["up"] = 1
    dns["servers"][1] |= {"verdict": "unknown", "since": None, "checks": {"good": 0, "failed": 0}, "connect_ms": None}
    worker = told["workers"]["workers"][1]
    worker["turns"] |= {"recent_p99_ms": 131.0, "slow": 88}
    worker["heartbeat_age_seconds"] = 4.2
    told["status"] |= {"healthy": False, "problems": ["worker 1 (pid 4214) has not been heard of for 4.2 s"]}
    told["status"]["reloads"].insert(
        0,
        reload("failure", 3, 90, 'l4d.toml:14: upstreams.db.servers[1]: "10.0.0.2" has no port; write "10.0.0.2:5432"'),
    )
    told["status"]["reloads"][1]["time"] = hour_ago
    return told


def many(upstreams: int, servers: int) -> dict[str, Answer]:
    """So many upstreams of so many servers each, one of the servers down."""
    found = [
        upstream(f"pool-{u:02}", [server(f"s{s:02}", f"10.{u}.0.{s}:80") for s in range(servers)], "tcp")
        for u in range(upstreams)
    ]
    found[-1]["servers"][-1] |= {"verdict": "down", "serving": False, "why": "down", "reason": "connection refused"}
    found[-1]["up"] -= 1
    return well() | {"upstreams": {"upstreams": found}}


def nothing_yet() -> dict[str, Answer]:
    """An l4d that has just started, with nothing to do."""
    told = well()
    told["status"] |= {"newest_ends": [], "ends": {}, "sessions": 0, "reloads": []}
    told["status"]["history"] |= {key: [] for key in ("time", *_HISTORY)}
    return told | {"listeners": {"listeners": []}, "upstreams": {"upstreams": []}, "workers": workers(1)}


_HISTORY = ("sessions", "new_sessions", "bytes_up", "bytes_down", "failures")


def status() -> Answer:
    now = time.time()
    return {
        "version": "1.0.0",
        "generation": 3,
        "pid": 4211,
        "started": rfc_3339(now - 281_520),
        "uptime_seconds": 281_520.4,
        "time": rfc_3339(now),
        "config": "/etc/l4d/l4d.toml",
        "healthy": True,
        "problems": [],
        "sessions": 1_420,
        "sessions_total": 23_124_012,
        "handed_over_total": {"tcp": 4_100, "udp": 812},
        "bytes_up_total": 81_203_114_231,
        "bytes_down_total": 912_331_204_119,
        "datagrams_up_total": 91_204_113,
        "datagrams_down_total": 88_123_004,
        "ends": {
            "--": 4_712_004,
            "UD": 18_201_338,
            "CD": 104_212,
            "cD": 88_120,
            "SD": 14_203,
            "SC": 391,
            "sC": 44,
            "TD": 8,
        },
        "log_lines_dropped_total": 0,
        "process_restarts_total": {"worker": 0, "control": 0},
        "reloads": [
            reload("success", 3, 7_300),
            reload("success", 2, 90_000),
            reload("success", 1, 281_520, what="start"),
        ],
        "newest_ends": [end(number) for number in range(12)],
        "history": history(now),
    }


def history(now: float, samples: int = 120) -> Answer:
    dice = random.Random(7)
    wave = [1 + 0.25 * math.sin(n / 14) + dice.uniform(-0.08, 0.08) for n in range(samples)]
    return {
        "interval_seconds": 1.0,
        "time": [now - samples + 1 + n for n in range(samples)],
        "sessions": [round(1_310 * each) for each in wave],
        "new_sessions": [round(212 * each + dice.uniform(-30, 30), 1) for each in wave],
        "bytes_up": [4_200_000 * each for each in wave],
        "bytes_down": [61_000_000 * each * dice.uniform(0.9, 1.1) for each in wave],
        "failures": [dice.choice([1, 2, 5]) if 60 < n < 72 else 0 for n in range(samples)],
    }


def reload(result: str, generation: int, ago: float, message: str = "", what: str = "reload") -> Answer:
    moment = rfc_3339(time.time() - ago)
    return {"time": moment, "what": what, "result": result, "generation": generation, "message": message}


_ENDS = (
    ("--", "finished"),
    ("UD", "idle"),
    ("CD", "client reset"),
    ("SD", "server reset"),
    ("SC", "no server accepted"),
)


def end(number: int, **other: Any) -> Answer:
    """Facts of one session that is over; the greater the *number*, the longer ago."""
    code, words = _ENDS[(number * number) % len(_ENDS)]
    duration = 37.5 * (number + 1) ** 3
    found = code != "SC"
    return {
        "time": rfc_3339(time.time() - number * 1.7 - duration / 1000),
        "listener": "web",
        "protocol": "tcp",
        "client": f"203.0.113.{number + 4}:{51_000 + 7 * number}",
        "local": "10.0.0.9:443",
        "upstream": "web",
        "server": "10.0.1.2:8443" if found else None,
        "server_name": "10.0.1.2:8443" if found else None,
        "bytes_up": 1_204 * (number + 1),
        "bytes_down": 88_213 * (number + 1) ** 2 if found else 0,
        "datagrams_up": 0,
        "datagrams_down": 0,
        "connect_ms": 1.214 if found else None,
        "duration_ms": round(duration, 3),
        "tries": 1,
        "end": code,
        "end_text": words,
        "id": f"{number:016x}",
        "worker": number % 2,
        "generation": 3,
    } | other


def listener(
    name: str, addresses: list[str], upstream: str, *, protocol: str = "tcp", sessions: int, total: int
) -> Answer:
    return {
        "name": name,
        "protocol": protocol,
        "addresses": addresses,
        "upstream": upstream,
        "sessions": sessions,
        "sessions_total": total,
        "bytes_up": total * 1_200,
        "bytes_down": total * 41_000,
        "datagrams_up": 0,
        "datagrams_down": 0,
        "dropped": {"queue_full": 12} if protocol == "udp" else {},
        "refused": {"capacity": 0},
        "ends": {"--": total - 400, "CD": 380, "SD": 20},
        "duration_ms": {"mean": 812.0, "p50": 120.0, "p99": 9_400.0},
    }


def upstream(name: str, servers: list[Answer], check: str) -> Answer:
    return {
        "name": name,
        "balance": "least_conn",
        "check": check,
        "queued": 0,
        "up": len(servers),
        "listeners": [name],
        "servers": servers,
    }


def server(name: str, address: str, weight: int = 1) -> Answer:
    return {
        "name": name,
        "address": address,
        "verdict": "up",
        "state": "ready",
        "serving": True,
        "why": "",
        "since": rfc_3339(time.time() - 281_000),
        "reason": None,
        "weight": weight,
        "max_sessions": 0,
        "backup": False,
        "sessions": 92 * weight,
        "sessions_total": 45_602 * weight,
        "bytes_up": 81_000_000 * weight,
        "bytes_down": 912_000_000 * weight,
        "failures": {},
        "checks": {"good": 140_512, "failed": 0},
        "out_seconds": 0,
        "connect_ms": {"mean": 0.9, "p50": 0.7, "p99": 3.1},
        "wishes": {},
        "agent": None,
    }


def workers(number: int) -> Answer:
    return {
        "workers": [
            {
                "slot": slot,
                "generation": 3,
                "pid": 4_213 + slot,
                "state": "serving",
                "heartbeat_age_seconds": 0.4,
                "sessions": 710,
                "cpu_seconds": 8_112.3,
                "cpu_percent": 34.2,
                "resident_bytes": 31_400_000,
                "turns": {
                    "count": 9_120_441,
                    "mean_ms": 0.3,
                    "p50_ms": 0.2,
                    "p99_ms": 2.1,
                    "recent_p99_ms": 1.8,
                    "slow": 0,
                },
            }
            for slot in range(number)
        ],
        "control": {"pid": 4_212, "generation": 3, "heartbeat_age_seconds": 0.2, "resident_bytes": 48_200_000},
        "master": {"pid": 4_211, "resident_bytes": 29_100_000},
    }


def passed(told: dict[str, Answer], seconds: float) -> None:
    """Let so much time pass in *told*: totals grow as they would."""
    told["status"]["time"] = rfc_3339(time.time())
    told["status"]["uptime_seconds"] += seconds
    for each in told["listeners"]["listeners"]:
        _grow(each, seconds)
    for group in told["upstreams"]["upstreams"]:
        for each in group["servers"]:
            if each["serving"]:
                _grow(each, seconds)


def _grow(each: Answer, seconds: float) -> None:
    fresh = max(1, round(each["sessions"] * 0.2 * seconds))
    each["sessions_total"] += fresh
    each["bytes_up"] += fresh * 1_200
    each["bytes_down"] += fresh * 41_000
