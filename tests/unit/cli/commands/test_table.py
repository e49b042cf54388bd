"""Tables that fit."""

from rich.console import Console

from l4d.cli.commands.table import Column, Row, table

COLUMNS = (Column("NAME"), Column("LEAST", 2), Column("LESS", 1, right=True), Column("WHY", 0, folds=True))
ROWS: tuple[Row, ...] = (("one", "aaaaaaaaaa", "1", "because of this and that"), ("two", "b", ("22", "red"), ""))


def shown(width: int | None, *, fold: bool = True) -> list[str]:
    console = Console(width=width or 1000, color_system=None)
    with console.capture() as captured:
        console.print(table(COLUMNS, ROWS, width, fold=fold))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_where_there_is_room_all_is_shown() -> None:
    everything = [
        "NAME  LEAST       LESS  WHY",
        "one   aaaaaaaaaa     1  because of this and that",
        "two   b             22",
    ]
    assert shown(None) == shown(100) == everything


def test_long_words_are_folded_first() -> None:
    assert shown(40) == [
        "NAME  LEAST       LESS  WHY",
        "one   aaaaaaaaaa     1  because of this",
        "                        and that",
        "two   b             22",
    ]


def test_then_the_least_important_columns_are_left_out() -> None:
    assert shown(30)[0] == "NAME  LESS  WHY"
    assert shown(22)[0] == "NAME  WHY"


def test_every_width_is_kept_to() -> None:
    for width in range(20, 80):
        assert all(len(line) <= width for line in shown(width)), width


def test_without_folding_a_row_is_a_line() -> None:
    assert shown(40, fold=False) == [
        "NAME  LEAST       LESS  WHY",
        "one   aaaaaaaaaa     1  because of this…",
        "two   b             22",
    ]


def test_nothing_is_markup_and_a_column_without_words_is_left_out() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(table((Column("A"), Column("B", 1)), [("[bold]x[/]", "")], 80))
    assert captured.get().split() == ["A", "[bold]x[/]"]
