"""What became of one flow's datagrams, noted as they go and come. Pure: the time is told."""

from tests.chaos.facts import Flow, Segment


class Trace:
    """One flow."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._sent: list[float] = []
        self._unanswered: dict[int, None] = {}
        self._segments: list[Segment] = []
        self._doubled: list[int] = []
        self._disordered: list[int] = []
        self._last = -1
        self._longest = (0.0, 0.0)

    @property
    def is_answered(self) -> bool:
        """Whether any answer has come."""
        return bool(self._segments)

    def send(self, now: float) -> int:
        """The number of the datagram that is sent now."""
        self._sent.append(now)
        number = len(self._sent) - 1
        self._unanswered[number] = None
        return number

    def knows(self, number: int) -> bool:
        """Whether a datagram of this number was sent at all."""
        return number < len(self._sent)

    def hear(self, number: int, port: int, server: int, now: float) -> None:
        """A server answered the datagram, which it saw come from *port*."""
        if number not in self._unanswered:
            self._doubled.append(number)
            return
        del self._unanswered[number]
        self._longest = max(self._longest, (now - self._sent[number], now))
        if number < self._last:
            self._disordered.append(number)
            return
        self._last = number
        last = self._segments[-1] if self._segments else None
        if last and (last.port, last.server) == (port, server):
            self._segments[-1] = last._replace(last=number, last_sent=self._sent[number])
        else:
            self._segments.append(Segment(port, server, number, number, now, self._sent[number]))

    def report(self) -> Flow:
        wait, at = self._longest
        lost = list(self._unanswered)
        return Flow(self.number, self._sent, self._segments, lost, self._doubled, self._disordered, wait, at)
