"""Tables that fit: where the terminal is narrow, the least important columns are left out, and long words are folded.

Nothing is ever taken as markup, and nothing is told by colour alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

Cell: TypeAlias = str | tuple[str, str]
"""Words, already safe to print; or words with a style."""

Row: TypeAlias = Sequence[Cell]

_GAP = 2
_FOLDED = 14
"""A column that may be folded is made as narrow as this before another one is left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    rank: int = 0  # the highest is left out first; 0: never
    right: bool = False  # numbers
    folds: bool = False  # it may take several lines


def table(columns: Sequence[Column], rows: Iterable[Row], width: int | None, *, fold: bool = True) -> Table:
    """*rows* under *columns* within *width*; None: as wide as it likes. A column without any word is left out.

    Without *fold* each row is one line, and long words are cut.
    """
    lines = [[_text(cell) for cell in row] for row in rows]
    natural = [max([cell_len(one.title), *(cell_len(line[at].plain) for line in lines)]) for at, one in _each(columns)]
    filled = [at for at, one in _each(columns) if not one.rank or any(line[at].plain for line in lines)]
    widths = _fitted(columns, {at: natural[at] for at in filled}, width)
    made = Table(box=None, padding=0, header_style="bold")
    for place, (at, wide) in enumerate(widths.items()):
        if place:  # what rich would put between columns it also puts behind the last one, in some versions
            made.add_column(width=_GAP)
        _add(made, columns[at], wide, fold=columns[at].folds and fold)
    for line in lines:
        made.add_row(*_spread([line[at] for at in widths]))
    return made


def _add(made: Table, column: Column, wide: int, *, fold: bool) -> None:
    made.add_column(
        Text(column.title),
        width=wide,
        justify="right" if column.right else "left",
        no_wrap=not fold,
        overflow="fold" if fold else "ellipsis",
    )


def _spread(cells: list[Text]) -> list[Text]:
    """*cells* with an empty one between each two."""
    return [one for cell in cells for one in (Text(), cell)][1:]


def _each(columns: Sequence[Column]) -> list[tuple[int, Column]]:
    return list(enumerate(columns))


def _text(cell: Cell) -> Text:
    return Text(cell) if isinstance(cell, str) else Text(*cell)


def _fitted(columns: Sequence[Column], natural: dict[int, int], width: int | None) -> dict[int, int]:
    """The columns that are shown, each with its width."""
    if width is None:
        return natural
    shown = dict(natural)
    while True:
        least = {at: min(wide, _FOLDED) if columns[at].folds else wide for at, wide in shown.items()}
        spare = width - sum(least.values()) - _GAP * (len(least) - 1)
        droppable = [at for at in shown if columns[at].rank]
        if spare >= 0 or not droppable:
            break
        del shown[max(droppable, key=lambda at: columns[at].rank)]
    for at, wide in shown.items():
        grown = min(wide - least[at], max(spare, 0))
        least[at] += grown
        spare -= grown
    return least
