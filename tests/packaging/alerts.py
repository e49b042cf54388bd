"""When each alert of packaging/prometheus/l4d.rules.yml goes off, and when it does not, as series over half an hour."""

from dataclasses import dataclass
from typing import TypeAlias

Series: TypeAlias = dict[str, str]
"""By name and labels: the values each minute, as promtool writes them ("0+3x30": 3 more each minute)."""

L4D = 'job="l4d", instance="edge"'
WEB = f'{L4D}, listener="web"'
ONE = f'{L4D}, upstream="db", server="one"'
TWO = f'{L4D}, upstream="db", server="two"'

STILL, SLOWLY, FASTER = "5x30", "0+1x30", "0+100x30"


@dataclass(frozen=True)
class Alert:
    """Series with which it fires in the end, and series with which it does not."""

    fires: Series
    quiet: Series


def server(up: int, ready: int, where: str = ONE) -> Series:
    return {
        f"l4d_server_up{{{where}}}": f"{up}x30",
        f'l4d_server_state{{{where}, state="ready"}}': f"{ready}x30",
        f'l4d_server_state{{{where}, state="maint"}}': f"{1 - ready}x30",
    }


def workers(serving: int, full: int = 0, *, slots: int = 2) -> Series:
    return {
        f'l4d_workers{{{L4D}, state="serving"}}': f"{serving}x30",
        f'l4d_workers{{{L4D}, state="full"}}': f"{full}x30",
        f'l4d_workers{{{L4D}, state="leaving"}}': "2x30",
        **{f'l4d_worker_cpu_seconds_total{{{L4D}, slot="{slot}"}}': SLOWLY for slot in range(slots)},
    }


def turns(fast: str, every: str) -> Series:
    return {
        f'l4d_worker_loop_seconds_bucket{{{L4D}, le="0.05"}}': fast,
        f"l4d_worker_loop_seconds_count{{{L4D}}}": every,
    }


def ends(finished: str, reset: str) -> Series:
    return {
        f'l4d_session_ends_total{{{WEB}, end="--"}}': finished,
        f'l4d_session_ends_total{{{WEB}, end="SD"}}': reset,
    }


ALERTS = {
    "L4dAbsent": Alert({'up{job="another"}': "1x30"}, {f"up{{{L4D}}}": "0x30"}),
    "L4dUnreachable": Alert({f"up{{{L4D}}}": "0x30"}, {f"up{{{L4D}}}": "1x28 0 1"}),
    "L4dWorkerMissing": Alert(workers(1), workers(1, 1)),
    "L4dWorkerFull": Alert(workers(1, 1), workers(2, 0)),
    "L4dWorkerSlow": Alert(turns("0+90x30", FASTER), turns("0+995x30", "0+1000x30")),
    "L4dWorkerBusy": Alert(
        {f'l4d_worker_cpu_seconds_total{{{L4D}, slot="0"}}': "0+57x30"},
        {f'l4d_worker_cpu_seconds_total{{{L4D}, slot="0"}}': "0+30x30"},
    ),
    "L4dProcessRestarted": Alert(
        {f'l4d_process_restarts_total{{{L4D}, role="worker"}}': "0x20 1x9"},
        {f'l4d_process_restarts_total{{{L4D}, role="worker"}}': "0x5 1x24"},
    ),
    "L4dReloadFailed": Alert(
        {f'l4d_reloads_total{{{L4D}, result="failure"}}': "0x20 1x9"},
        {
            f'l4d_reloads_total{{{L4D}, result="success"}}': SLOWLY,
            f'l4d_reloads_total{{{L4D}, result="failure"}}': STILL,
        },
    ),
    "L4dLogLinesDropped": Alert(
        {f"l4d_log_lines_dropped_total{{{L4D}}}": SLOWLY}, {f"l4d_log_lines_dropped_total{{{L4D}}}": STILL}
    ),
    "L4dUpstreamDown": Alert(server(1, 0) | server(0, 1, TWO), server(0, 1) | server(1, 1, TWO)),
    "L4dServerDown": Alert(server(0, 1) | server(1, 1, TWO), server(0, 0) | server(1, 1, TWO)),
    "L4dDialsFail": Alert(
        {
            f'l4d_server_failures_total{{{ONE}, reason="refused"}}': "0+10x30",
            f'l4d_server_failures_total{{{ONE}, reason="timeout"}}': "0+10x30",
            f"l4d_server_sessions_total{{{ONE}}}": FASTER,
        },
        {
            f'l4d_server_failures_total{{{ONE}, reason="refused"}}': SLOWLY,
            f"l4d_server_sessions_total{{{ONE}}}": FASTER,
        },
    ),
    "L4dServersFull": Alert(
        {f'l4d_queue_sessions{{{L4D}, upstream="db"}}': "3x30"},
        {f'l4d_queue_sessions{{{L4D}, upstream="db"}}': "3x27 0x2"},
    ),
    "L4dResolverFails": Alert(
        {
            f'l4d_resolver_queries_total{{{L4D}, result="failed"}}': FASTER,
            f'l4d_resolver_queries_total{{{L4D}, result="answered"}}': SLOWLY,
        },
        {
            f'l4d_resolver_queries_total{{{L4D}, result="failed"}}': SLOWLY,
            f'l4d_resolver_queries_total{{{L4D}, result="answered"}}': FASTER,
        },
    ),
    "L4dSessionsFail": Alert(ends(FASTER, "0+10x30"), ends(FASTER, "0+3x30")),
    "L4dSessionsRefused": Alert(
        {f'l4d_refused_total{{{WEB}, reason="full"}}': SLOWLY}, {f'l4d_refused_total{{{WEB}, reason="full"}}': STILL}
    ),
    "L4dDatagramsDropped": Alert(
        {
            f'l4d_datagrams_dropped_total{{{WEB}, reason="queue_full"}}': "0+10x30",
            f'l4d_datagrams_total{{{WEB}, direction="up"}}': FASTER,
            f'l4d_datagrams_total{{{WEB}, direction="down"}}': FASTER,
        },
        {
            f'l4d_datagrams_dropped_total{{{WEB}, reason="stopping"}}': "0+10x30",
            f'l4d_datagrams_dropped_total{{{WEB}, reason="queue_full"}}': SLOWLY,
            f'l4d_datagrams_total{{{WEB}, direction="up"}}': FASTER,
            f'l4d_datagrams_total{{{WEB}, direction="down"}}': FASTER,
        },
    ),
}
