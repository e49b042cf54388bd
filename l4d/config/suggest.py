"""The way out of a mistyped word: the nearest of the words that would have been right."""

import difflib
from collections.abc import Collection


def nearest(word: str, words: Collection[str]) -> str | None:
    """The one of *words* that was probably meant."""
    near = difflib.get_close_matches(word[:100], words, n=1)
    return near[0] if near else None


def did_you_mean(word: str, words: Collection[str]) -> str:
    """`; did you mean 'upstream'?`, or nothing when no word is near."""
    meant = nearest(word, words)
    return f"; did you mean '{meant}'?" if meant else ""


def one_of(words: Collection[str]) -> str:
    """`tcp, udp or both`, as one says it."""
    *rest, last = words
    return f"{', '.join(rest)} or {last}" if rest else last
