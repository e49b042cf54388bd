"""The pool of an upstream as one worker has it, counting on the worker's row."""

from l4d.config.model import Upstream
from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ServerTally
from l4d.upstream.balance import make_balancer
from l4d.upstream.pool import Pool
from l4d.upstream.server import Server
from l4d.worker.assignment import Assignment


def make_pool(assignment: Assignment, upstream: Upstream, row: memoryview) -> Pool:
    """The servers of *upstream*; what other workers know of failed dials is taken over."""
    board = assignment.board
    servers = []
    for server in upstream.servers:
        tally = ServerTally(row, assignment.columns, upstream.name, server.name)
        servers.append(Server(upstream, server, SharedFailures(board, tally), tally))
    return Pool(servers, make_balancer(upstream.balance, assignment.slot), lambda: board.bell)
