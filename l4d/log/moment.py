"""Moments as people read them. The wall clock is for people; nothing is decided by it."""

from datetime import datetime, timezone


def rfc_3339(wall: float) -> str:
    """A time, in seconds since 1970, in UTC with milliseconds (RFC 3339)."""
    return datetime.fromtimestamp(wall, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
