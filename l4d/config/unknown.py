"""What is said about a key that does not exist where it stands."""

from l4d.config.kinds import Section
from l4d.config.schema import SECTIONS, TOP
from l4d.config.suggest import did_you_mean, one_of

TABLES = ("main", "log", "admin", "resolver", "defaults", "listeners", "upstreams")
"""The tables at the top of a file."""


def unknown(name: str, section: Section) -> str:
    """The message for the key *name* found in *section*, which has none of that name."""
    homes = [other.title for other in SECTIONS if name in other.keys]
    if name in section.later or (not homes and any(name in other.later for other in SECTIONS)):
        return "not available in this version"
    if homes:
        return f"no such key here; '{name}' belongs to {one_of(homes)}"
    return f"no such key{did_you_mean(name, _names(section))}"


def _names(section: Section) -> tuple[str, ...]:
    return (*section.keys, *TABLES) if section is TOP else tuple(section.keys)
