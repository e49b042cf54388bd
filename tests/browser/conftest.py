"""Fixtures for the status page: a Chromium, and l4d's answers to show."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from tests.browser.figures import Answer, well
from tests.browser.pretender import Pretender
from tests.kit.browser import Browser, Page

Show: TypeAlias = Callable[..., Page]
"""Opens the page on the pretender's answers, and waits until it shows them. Takes what `Browser.open` takes."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def told() -> dict[str, Answer]:
    """What l4d tells; a good day unless the test changes it."""
    return well()


@pytest.fixture
def pretender(told: dict[str, Answer]) -> Iterator[Pretender]:
    with Pretender(told) as pretender:
        yield pretender


@pytest.fixture
def show(browser: Browser, pretender: Pretender) -> Iterator[Show]:
    with ExitStack() as stack:

        def show(below: str = "", width: int = 1280, height: int = 900, **media: str) -> Page:
            page = stack.enter_context(browser.open(pretender.url + below, width, height, **media))
            page.wait_until("the page shows what it was told", "typeof told === 'object' && told !== null")
            return page

        yield show
