"""The settings of a listener that sessions go on with when the new file has no such listener.

Those that count while a session lives are told, as the configuration has them; the others are at their defaults.
"""

from typing import Any

from l4d.config.model import Listener, Upstream
from l4d.config.reading import defaults
from l4d.config.schema import LISTENER, UPSTREAM
from l4d.handover.record import Json, RecordError, fitting
from l4d.terms import Protocol, Relay

TOLD = (
    "idle_timeout",
    "half_close",
    "half_close_timeout",
    "max_session_time",
    "responses",
    "requests",
    "access_log",
)


def told(listener: Listener) -> Json:
    """The settings of *listener*, as JSON has them."""
    plain: Json = {name: getattr(listener, name) for name in TOLD}
    return {
        **plain,
        "protocol": listener.protocol.value,
        "upstream": listener.upstream,
        "relay": listener.relay.value,
    }


def understood(name: str, plain: object) -> Listener:
    """The listener that was told, without any address. Raises RecordError."""
    if not isinstance(plain, dict):
        raise RecordError(f"listeners.{name}: {plain!r:.40} are no settings")
    try:
        protocol, relay = Protocol(plain.get("protocol", "tcp")), Relay(plain.get("relay", "auto"))
    except ValueError as error:
        raise RecordError(f"listeners.{name}: {error}") from None
    values: dict[str, Any] = defaults(LISTENER, protocol)
    for key in TOLD:
        values[key] = fitting(f"listeners.{name}.{key}", plain.get(key, values[key]), values[key])
    fixed = {"name": name, "bind": (), "addresses": (), "protocol": protocol, "relay": relay}
    return Listener(**{**values, **fixed, "upstream": str(plain.get("upstream", ""))})


def gone_upstream(name: str) -> Upstream:
    """What stands for an upstream that the new file does not have: it has no servers."""
    values = defaults(UPSTREAM)
    return Upstream(**{**values, "name": name, "servers": ()})
