"""What a configuration needs before a worker can be born: all that is missing is told at once."""

import os
import resource
from pathlib import Path

import pytest

from l4d.errors import StartError
from l4d.master.prepare import prepare
from tests.kit.processes import own_descriptors
from tests.kit.rights import needs_root
from tests.unit.config.helpers import loaded


def config(folder: Path, check: str = "", more: str = "") -> str:
    return f"""
[main]
workers = 2
{more}
[log]
error = "{folder}/log"
[listeners.pg]
bind = "127.0.0.1:0"
upstream = "pg"
[upstreams.pg]
servers = "10.0.0.1:5432"
{check}
"""


def missing(folder: Path, check: str, more: str = "") -> list[str]:
    """What `prepare` says, and that it leaves nothing open then."""
    made = loaded(folder, config(folder, check, more))
    before = own_descriptors()
    with pytest.raises(StartError) as caught:
        prepare(made, {}, {}, "")
    assert own_descriptors() == before
    return [message.replace(f"{folder}/", "") for message in caught.value.messages]


def redis(**keys: str) -> str:
    return "[upstreams.pg.check]\ntype = 'redis'\n" + "".join(f"{key} = '{value}'\n" for key, value in keys.items())


def test_what_is_there_is_opened_and_can_be_dropped(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    made = loaded(tmp_path, config(tmp_path, redis(password_file=f"{tmp_path}/secret")))
    before = own_descriptors()
    prepared = prepare(made, {}, {}, "")
    assert prepared.slots == 2
    assert [len(bound.sockets) for bound in prepared.plan.by_listener["pg"]] == [2]
    prepared.drop()
    assert own_descriptors() == before


def test_a_password_file_that_is_not_there_is_told_with_its_key(tmp_path: Path) -> None:
    assert missing(tmp_path, redis(password_file=f"{tmp_path}/secret")) == [
        "upstreams.pg.check.password_file: secret: no such file or directory"
    ]


def test_a_password_that_is_no_text_is_told_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"hunter\xff2\n")
    assert missing(tmp_path, redis(password_file=f"{tmp_path}/secret")) == [
        "upstreams.pg.check.password_file: secret: is not UTF-8 text"
    ]


def test_a_variable_that_is_not_set_is_told_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("L4D_TEST_PASSWORD", raising=False)
    assert missing(tmp_path, redis(password_env="L4D_TEST_PASSWORD")) == [
        "upstreams.pg.check.password_env: there is no L4D_TEST_PASSWORD in the environment"
    ]
    monkeypatch.setenv("L4D_TEST_PASSWORD", "hunter2")
    prepare(loaded(tmp_path, config(tmp_path, redis(password_env="L4D_TEST_PASSWORD"))), {}, {}, "").drop()


def test_authorities_that_cannot_be_read_are_told_with_their_key(tmp_path: Path) -> None:
    check = f"check = {{ type = 'tls', ca_file = '{tmp_path}/ca.pem' }}"
    assert missing(tmp_path, check) == ["upstreams.pg.check.ca_file: ca.pem: no such file or directory"]
    (tmp_path / "ca.pem").mkdir()
    assert missing(tmp_path, check) == ["upstreams.pg.check.ca_file: ca.pem: is a directory"]


def test_a_program_that_is_not_there_is_told_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for where the check looks for it, whatever our own PATH is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "mine").touch(0o755)
    for command in ("mine", f"{tmp_path}/absent"):
        told = missing(tmp_path, f"check = {{ type = 'exec', command = ['{command}'] }}")
        assert told == [f"upstreams.pg.check.command: there is no program {command}".replace(f"{tmp_path}/", "")]
    for command in ("true", f"{tmp_path}/mine"):
        made = loaded(tmp_path, config(tmp_path, f"check = {{ type = 'exec', command = ['{command}'] }}"))
        prepare(made, {}, {}, "").drop()


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    check = redis(password_file=f"{tmp_path}/secret")
    more = "rlimit_nofile = 1073741816" if os.geteuid() else "group = 'nogroup'\nuser = 'no-such-user'"
    told = missing(tmp_path, check, more)
    assert len(told) == 2
    assert told[0].startswith("main.")
    assert told[1] == "upstreams.pg.check.password_file: secret: no such file or directory"


def test_no_socket_is_opened_for_what_cannot_be_served_anyway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4d.master.sockets.plan", lambda *_args: pytest.fail("was planned"))
    assert missing(tmp_path, redis(password_file=f"{tmp_path}/secret"))


@needs_root
def test_as_many_descriptors_as_the_hard_limit_has_can_be_had(tmp_path: Path) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    prepare(loaded(tmp_path, config(tmp_path, more=f"rlimit_nofile = {hard}")), {}, {}, "").drop()


def test_access_logs_are_opened_once_for_each_target_and_closed_again(tmp_path: Path) -> None:
    logs = f"access = '{tmp_path}/all'\n[defaults.listeners]\naccess_log = '{tmp_path}/mine'\n"
    made = loaded(tmp_path, config(tmp_path).replace("[listeners.pg]", f"{logs}[listeners.pg]"))
    before = own_descriptors()
    prepared = prepare(made, {}, {}, "")
    assert list(prepared.access) == [f"{tmp_path}/all", f"{tmp_path}/mine"]
    prepared.drop()
    assert own_descriptors() == before


def test_access_logs_that_cannot_be_opened_are_told_with_their_keys(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    logs = f"access = '{tmp_path}/all'\n[defaults.listeners]\naccess_log = '{tmp_path}/none/mine'\n"
    made = loaded(tmp_path, config(tmp_path).replace("[listeners.pg]", f"{logs}[listeners.pg]"))
    before = own_descriptors()
    with pytest.raises(StartError) as caught:
        prepare(made, {}, {}, "")
    assert caught.value.messages == (
        f"cannot open the log {tmp_path}/all (log.access): Is a directory",
        f"cannot open the log {tmp_path}/none/mine (listeners.pg.access_log): No such file or directory",
    )
    assert own_descriptors() == before
