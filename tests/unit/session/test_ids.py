"""The numbers of sessions."""

import pytest

from l4d.session.ids import Ids, id_number, id_text


def test_no_number_is_given_out_twice() -> None:
    ids = Ids()
    assert len({ids.take() for _ in range(1000)}) == 1000


def test_workers_have_numbers_of_their_own() -> None:
    assert Ids().take() >> 32 != Ids().take() >> 32


def test_a_number_fits_into_a_record() -> None:
    assert 0 < Ids().take() < 1 << 63


def test_a_number_is_read_as_it_is_written() -> None:
    assert id_text(7) == "0000000000000007"
    assert id_number(id_text(1 << 62)) == 1 << 62


@pytest.mark.parametrize(
    "text", ["", "7", "000000000000000g", "00000000000000000", "0x00000000000000", "0000_00000000000"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text or "digits"):
        id_number(text)
