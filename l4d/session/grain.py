"""How finely a session's silence is measured.

Touching a deadline for every read would cost more than counting it. It is done once in a grain, and the deadlines
are longer by as much, so that none comes early.
"""

LONGEST = 1.0
"""A session is found idle at most so many seconds late."""


def grain(*timeouts: float) -> float:
    """Seconds between two touches of deadlines of these lengths: a sixteenth of the shortest, at most LONGEST."""
    return min(LONGEST, *(timeout / 16 for timeout in timeouts))
