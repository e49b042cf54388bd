"""What an operator asks for, in words."""

import pytest

from l4d.stats.wish import Unsaid, Wish
from l4d.terms import ServerState


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(), ""),
        (Wish(state=ServerState.DRAIN), "state drain"),
        (Wish(weight=5, max_sessions=0), "weight 5, max_sessions 0"),
        (Wish(state=Unsaid.FILE, weight=Unsaid.FILE), "state as in the file, weight as in the file"),
    ],
)
def test_a_wish_is_told_in_words(wish: Wish, words: str) -> None:
    assert wish.words == words
