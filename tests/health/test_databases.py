"""Redis, PostgreSQL and MariaDB themselves: who may log in, and what they are."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4d.address import Unix
from l4d.terms import CheckType, Role
from tests.health.asking import ask_once as ask
from tests.kit.needs import needs
from tests.kit.programs import run
from tests.kit.servers import MariaDB, PostgreSQL, Redis
from tests.kit.wait import wait_until

REDIS, POSTGRES, MYSQL = CheckType.REDIS, CheckType.POSTGRES, CheckType.MYSQL


class TestRedis:
    pytestmark = needs("redis-server", "redis-cli")

    @pytest.fixture
    def redis(self, tmp_path: Path) -> Iterator[Redis]:
        with Redis(tmp_path) as redis:
            yield redis

    def test_one_that_serves_is_well(self, redis: Redis) -> None:
        assert ask(REDIS, redis.address).well

    def test_a_primary_and_a_replica_are_told_apart(self, redis: Redis, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        with Redis(tmp_path / "other") as other:
            run("redis-cli", "-p", other.port, "replicaof", "127.0.0.1", redis.port)
            wait_until("the replica follows", lambda: "link_status:up" in run("redis-cli", "-p", other.port, "info"))

            primary = ask(REDIS, redis.address, role=Role.PRIMARY)
            assert (primary.well, primary.definite, primary.why) == (True, True, "is a primary")
            replica = ask(REDIS, other.address, role=Role.PRIMARY)
            assert (replica.well, replica.definite, replica.why) == (False, True, "is a replica")
            assert ask(REDIS, other.address, role=Role.REPLICA).well
            assert not ask(REDIS, redis.address, role=Role.REPLICA).well

    def test_a_password_is_wanted_where_there_is_one(self, redis: Redis) -> None:
        run("redis-cli", "-p", redis.port, "config", "set", "requirepass", "hunter2")
        assert ask(REDIS, redis.address, secret="hunter2").well

        nobody = ask(REDIS, redis.address)
        assert not nobody.well
        assert "Authentication required" in nobody.why

        wrong = ask(REDIS, redis.address, secret="hunter3")
        assert not wrong.well
        assert "invalid username-password pair" in wrong.why
        assert "hunter3" not in wrong.why

    def test_a_user_logs_in_by_name(self, redis: Redis) -> None:
        run("redis-cli", "-p", redis.port, "acl", "setuser", "l4d", "on", ">hunter2", "+ping", "+role")
        assert ask(REDIS, redis.address, user="l4d", secret="hunter2", role=Role.PRIMARY).well
        assert not ask(REDIS, redis.address, user="nobody", secret="hunter2").well


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with PostgreSQL() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    with MariaDB() as mariadb:
        yield mariadb


class TestPostgres:
    pytestmark = needs("postgres", "initdb")

    def test_one_that_serves_is_well_also_without_a_user(self, postgres: PostgreSQL) -> None:
        assert ask(POSTGRES, postgres.address).well

    def test_a_user_logs_in(self, postgres: PostgreSQL) -> None:
        assert ask(POSTGRES, postgres.address, user="postgres").well
        assert ask(POSTGRES, postgres.address, user="postgres", database="template1").well

    def test_a_primary_says_so(self, postgres: PostgreSQL) -> None:
        answer = ask(POSTGRES, postgres.address, user="postgres", role=Role.PRIMARY)
        assert (answer.well, answer.definite, answer.why) == (True, True, "is a primary")
        answer = ask(POSTGRES, postgres.address, user="postgres", role=Role.REPLICA)
        assert (answer.well, answer.definite, answer.why) == (False, True, "is a primary")

    def test_who_may_not_log_in_is_told_why_without_the_password(self, postgres: PostgreSQL) -> None:
        answer = ask(POSTGRES, postgres.address, user="nobody", secret="hunter2")
        assert (answer.well, answer.why) == (False, 'role "nobody" does not exist')

    @needs("psql")
    def test_a_password_is_looked_at(self, postgres: PostgreSQL) -> None:
        postgres.make_user("l4d", "hunter2")
        login = {"user": "l4d", "database": "postgres"}
        wait_until("the rule holds", lambda: not ask(POSTGRES, postgres.address, secret="hunter3", **login).well)
        wrong = ask(POSTGRES, postgres.address, secret="hunter3", **login)
        assert (wrong.well, wrong.why) == (False, 'password authentication failed for user "l4d"')
        assert ask(POSTGRES, postgres.address, secret="hunter2", **login).well


class TestMariadb:
    pytestmark = needs("mariadbd", "mariadb-install-db", "mariadb")

    def test_one_that_greets_is_well(self, mariadb: MariaDB) -> None:
        assert ask(MYSQL, mariadb.address).well
        assert ask(MYSQL, Unix(str(mariadb.socket))).well

    def test_a_user_logs_in(self, mariadb: MariaDB) -> None:
        assert ask(MYSQL, mariadb.address, user="l4d", secret="hunter2").well
        assert ask(MYSQL, Unix(str(mariadb.socket)), user="l4d", secret="hunter2").well

    def test_a_wrong_password_is_told_without_it(self, mariadb: MariaDB) -> None:
        answer = ask(MYSQL, mariadb.address, user="l4d", secret="hunter3")
        assert (answer.well, answer.why) == (False, "Access denied for user 'l4d'@'localhost' (using password: YES)")

    def test_one_that_is_read_only_is_a_replica(self, mariadb: MariaDB) -> None:
        login = {"user": "l4d", "secret": "hunter2"}
        primary = ask(MYSQL, mariadb.address, role=Role.PRIMARY, **login)
        assert (primary.well, primary.definite, primary.why) == (True, True, "is a primary")
        mariadb.run("SET GLOBAL read_only = 1")
        try:
            replica = ask(MYSQL, mariadb.address, role=Role.PRIMARY, **login)
            assert (replica.well, replica.definite, replica.why) == (False, True, "is a replica")
            assert ask(MYSQL, mariadb.address, role=Role.REPLICA, **login).well
        finally:
            mariadb.run("SET GLOBAL read_only = 0")

    def test_one_that_is_full_says_so_in_its_greeting(self, mariadb: MariaDB) -> None:
        mariadb.run("SET GLOBAL max_connections = 10")
        try:
            held = [socket.create_connection(("127.0.0.1", mariadb.port)) for _ in range(14)]
            try:
                answer = ask(MYSQL, mariadb.address)
                assert (answer.well, answer.why) == (False, "Too many connections")
            finally:
                for one in held:
                    one.close()
        finally:
            mariadb.run("SET GLOBAL max_connections = 151")
