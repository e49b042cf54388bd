"""The places of an places: one, or as many as a name ever had seats."""

from l4d.address import Host
from l4d.stats import catalogue
from l4d.upstream.places import Places
from tests.unit.making import Row, member, upstream


def places_of(row: Row, **changes: object) -> Places:
    return Places(upstream(), member(**changes), row.board, row.columns, row.row, row.said)


def test_a_server_given_by_its_address_is_one_place() -> None:
    row = Row()
    places = places_of(row, name="one")
    [place] = places.now()
    assert places.now() == [place]
    assert place.server is not None


def test_a_name_has_as_many_places_as_seats_were_ever_taken() -> None:
    row = Row()
    places = places_of(row, name="db", address=Host("db.test", 5432))
    assert places.now() == []
    taken = row.columns.of(catalogue.SEATS_TAKEN, "db", "db")
    row.said[taken] = 2
    first, second = places.now()
    row.said[taken] = 3
    assert list(places.now()[:2]) == [first, second]
    assert len(places.now()) == 3
