"""Servers that take too long to start to be started for every test."""

from collections.abc import Iterator

import pytest

from tests.kit.servers import PostgreSQL


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL of the tests' own, with one empty database."""
    with PostgreSQL() as postgresql:
        yield postgresql
