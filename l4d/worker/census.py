"""Walking over the sessions of a worker while they live: each is met once, where it is at that moment."""

from collections.abc import Iterator

from l4d.session.session import Phase, Session
from l4d.session.stage import Stage
from l4d.udp.flow import Flow
from l4d.worker.services import Services


def walk(services: Services) -> Iterator[Stage | None]:
    """Every session that there was at the beginning, and has not ended, or left, before it is met; else None.

    Between two steps anything may happen to any of them, also by the hand of whoever walks.
    """
    stages, wanted = _stages(services), None
    while stages:
        missed: set[Session] = set()
        for stage in stages:
            session = stage.session
            if stage.current and (wanted is None or session in wanted):
                yield stage
                continue
            if session.phase not in {Phase.OVER, Phase.MOVED} and (wanted is None or session in wanted):
                missed.add(session)  # it has gone on to another stage
            yield None
        stages, wanted = _stages(services) if missed else [], missed


def _stages(services: Services) -> list[Stage]:
    """Where every session is now."""
    stages: list[Stage] = []
    for tcp in services.tcp.values():
        stages.extend(tcp.stages())
    for udp in services.udp.values():
        stages.extend(entry for entry in udp.waiting if isinstance(entry, Flow))
    return stages
