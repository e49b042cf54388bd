"""What has become of l4d since its start: the last ones, and as a document."""

import json

import pytest

from l4d.child import channel
from l4d.stats import changes
from l4d.stats.changes import LONGEST, MOST, Change, Changes


def change(number: int, message: str = "") -> Change:
    return Change(float(number), changes.RELOAD, changes.SUCCESS, number, message)


def test_the_newest_is_first_and_only_the_last_ones_are_kept() -> None:
    kept = Changes(1.0)
    for number in range(MOST + 5):
        kept.add(change(number))
    assert [each.generation for each in kept.all] == list(range(MOST + 4, 4, -1))


def test_a_long_message_is_cut() -> None:
    kept = Changes()
    kept.add(change(1, "x" * LONGEST))
    kept.add(change(2, "x" * (LONGEST + 1)))
    long, whole = kept.all
    assert whole.message == "x" * LONGEST
    assert long.message == "x" * (LONGEST - 3) + "..."


def test_whatever_the_messages_are_made_of_all_is_one_word_to_control() -> None:
    kept = Changes(1.5)
    for _ in range(MOST):
        kept.add(Change(1790000000.123456, changes.RELOAD, changes.FAILURE, 1 << 40, "\N{GRINNING FACE}" * 1000))
    assert len(channel.changes(kept.encode())) <= channel.LONGEST


def test_what_is_written_is_read() -> None:
    kept = Changes(1.5, [change(2, 'a "message"\udcff'), change(1)])
    assert changes.decode(kept.encode()) == kept


def test_fields_of_a_later_program_are_passed_over() -> None:
    later = json.loads(Changes(1.5, [change(1)]).encode())
    later["mood"] = later["all"][0]["colour"] = "green"
    assert changes.from_plain(later) == Changes(1.5, [change(1)])


@pytest.mark.parametrize("value", [[], {}, {"started": 1}, {"started": "x", "all": []}, {"started": 1, "all": [{}]}, 3])
def test_what_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no history|could not"):
        changes.from_plain(value)
