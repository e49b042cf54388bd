"""The pool of an upstream as one worker has it, counting on the worker's row."""

import random

from l4d.config.model import Upstream
from l4d.stats import catalogue
from l4d.terms import Balance
from l4d.upstream.balance import make_balancer
from l4d.upstream.key import make_key
from l4d.upstream.places import Places
from l4d.upstream.pool import NEVER, STEPS, Pool
from l4d.worker.assignment import WorkerAssignment


def make_pool(assignment: WorkerAssignment, upstream: Upstream, row: memoryview, chance: random.Random) -> Pool:
    """The servers of *upstream*; what other workers and control have said of them is taken over."""
    board, columns, said = assignment.board, assignment.columns, assignment.board.row(assignment.control_row)
    queue = row, columns.of(catalogue.QUEUE_SESSIONS, upstream.name)
    all_places = [Places(upstream, entry, board, columns, row, said) for entry in upstream.servers]
    return Pool(
        lambda: [place for places in all_places for place in places.now()],
        lambda: make_balancer(upstream.balance, assignment.slot, chance),
        board,
        queue,
        make_key(upstream.hash_key) if upstream.balance is Balance.HASH else None,
        upstream.slow_start / STEPS if upstream.slow_start else NEVER,
        patient=upstream.queue > 0,
    )
