"""What is wrong, and where."""

from l4d.config.positions import KeyPath
from l4d.config.problems import Place, Problems
from tests.unit.config.helpers import problems_of

PLACES: dict[KeyPath, Place] = {("main",): Place("b.toml", 4), ("main", "user"): Place("a.toml", 9)}


def problems() -> Problems:
    return Problems(PLACES, Place("a.toml", 0))


def test_a_key_that_was_not_written_stands_where_its_table_does() -> None:
    assert problems().place(("main", "user")) == ("a.toml", 9)
    assert problems().place(("main", "group", 0)) == ("b.toml", 4)
    assert problems().place(("log",)) == ("a.toml", 0)


def test_problems_come_in_the_order_of_files_and_lines_and_those_of_set_last() -> None:
    found = problems()
    found.add_at(Place("--set", 0), "", "third")
    found.add(("main", "group"), "second")
    found.add(("main", "user"), "first")
    assert problems_of(found) == [
        "a.toml:9: main.user: first",
        "b.toml:4: main.group: second",
        "--set: third",
    ]


def test_without_a_problem_nothing_stops() -> None:
    assert problems_of(problems()) == []


def test_within_means_the_value_and_all_that_is_in_it() -> None:
    found = problems()
    found.add(("main", "user", 1), "wrong")
    assert found.within(("main",))
    assert found.within(("main", "user", 1))
    assert not found.within(("main", "user", 2))
    assert not found.within(("main", "user", 1, "x"))


def test_both_places_are_named_of_what_is_there_twice() -> None:
    found = problems()
    found.add_twice(("main", "user"), Place("b.toml", 5))
    found.add_clash(("main",), "1.2.3.4:80", ("main", "user"))
    assert problems_of(found) == [
        "b.toml:4: main: 1.2.3.4:80 is bound twice; first by main.user at a.toml:9",
        "b.toml:5: main.user: is defined twice; first at a.toml:9",
    ]


def test_a_whole_file_has_no_line() -> None:
    assert str(Place("a.toml", 0)) == "a.toml"


def test_the_problems_of_a_part_are_taken_over() -> None:
    whole, part = problems(), problems()
    part.add(("main",), "wrong")
    whole.take(part)
    assert problems_of(whole) == ["b.toml:4: main: wrong"]
