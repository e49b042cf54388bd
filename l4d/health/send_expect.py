"""The check of type send_expect: a server that answers as expected, over TCP, is well."""

from l4d.config.model import Check
from l4d.health.connection import connect, receive_until, send
from l4d.health.expecting import Expecting
from l4d.health.probe import Answer, Target
from l4d.health.words import quoted


class SendExpectProbe:
    """Sends, if there is something to send, and reads until the answer fits, or 64 KiB have come that do not."""

    def __init__(self, check: Check) -> None:
        self._payload = check.payload
        self._expecting = Expecting(check)

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        expecting = self._expecting
        with await connect(target.address) as sock:
            if self._payload:
                await send(sock, self._payload)
            data = await receive_until(sock, lambda data: expecting.met_by(data) or expecting.hopeless(data))
        if expecting.met_by(data):
            return Answer(well=True)
        return Answer(well=False, why=f"answered otherwise: {quoted(data)}" if data else "closed without an answer")
