"""What the tests of the status page share: the answers it is told, and how to find a row."""

import json
from typing import TypeAlias

from tests.browser.figures import Answer
from tests.kit.browser import Page

Told: TypeAlias = dict[str, Answer]
"""By the question: "status", "listeners", "upstreams", "workers"."""


def become(told: Told, other: Told) -> None:
    """Let l4d tell *other* from now on."""
    told.clear()
    told.update(other)


def cells(page: Page, row: str) -> list[str]:
    """What the row that begins with *row* says, cell by cell."""
    found = f"[...document.querySelectorAll('tbody tr')].find((tr) => tr.innerText.startsWith({json.dumps(row)}))"
    texts = page.value(f"[...({found})?.children ?? []].map((cell) => cell.innerText)")
    return [str(text).replace("\u202f", " ") for text in texts]


def one(told: Told) -> Answer:
    """The server pg/one."""
    server: Answer = told["upstreams"]["upstreams"][0]["servers"][0]
    return server
