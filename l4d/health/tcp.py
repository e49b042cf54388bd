"""The check of type tcp: a server that accepts a connection is well."""

from l4d.health.connection import connect
from l4d.health.probe import Answer, Target

_WELL = Answer(well=True)


class TcpProbe:
    """Connects and closes, with a FIN rather than a reset: most servers log a client that resets."""

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        sock = await connect(target.address)
        sock.close()
        return _WELL
