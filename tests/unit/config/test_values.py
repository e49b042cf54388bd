"""How single values are read, and written again."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from l4d.config import values
from l4d.config.values import Wrong
from l4d.terms import HashKey, Protocol, Role


def refusal(read: Callable[[object], object], value: object) -> str:
    with pytest.raises(Wrong) as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": 1}, "a table"),
        ([1], "a list"),
        (True, "true"),
        ("a'b", '"a\'b"'),
        (1.5, "1.5"),
        (date(2026, 1, 2), "2026-01-02"),
        (1 << 300, "a huge number"),
        ("x" * 100, f"'{'x' * 79}..."),
    ],
)
def test_a_value_is_described_in_a_few_words(value: object, said: str) -> None:
    assert values.described(value) == said


def test_only_true_and_false_are_booleans() -> None:
    assert values.boolean(False) is False
    assert refusal(values.boolean, 1) == "must be true or false, not 1"


def test_a_text_fits_on_a_line() -> None:
    assert values.text("a ü 😀") == "a ü 😀"
    assert refusal(values.text, 1) == "must be a string, not 1"
    for bad in ("a\nb", "\0", "\x7f", "\x85", "\u2028", "\udc80"):
        assert refusal(values.text, bad) == "must not contain control characters"


def test_a_word_has_no_spaces() -> None:
    assert values.word("two") == "two"
    for bad in ("", "a b", "a\u00a0b", "x" * 113):
        assert "without spaces" in refusal(values.word, bad)


def test_a_whole_number_is_in_its_range_and_no_boolean() -> None:
    read = values.integer(1, 5)
    assert [read(1), read(5)] == [1, 5]
    assert refusal(read, 0) == "must be a whole number from 1 to 5, not 0"
    assert refusal(read, True) == "must be a whole number from 1 to 5, not true"
    assert refusal(read, 2.0) == "must be a whole number from 1 to 5, not 2.0"


def test_the_mode_of_a_file_is_octal_and_in_quotes() -> None:
    assert [values.file_mode(text) for text in ("0600", "660", "0777")] == [0o600, 0o660, 0o777]
    assert values.file_mode_written(0o60) == "0060"
    for wrong in (0o600, "0x600", "0800", "07777", "rw", "", "0600 "):
        assert refusal(values.file_mode, wrong).startswith(
            'must be an octal mode in quotes, like "0600" or "0660", not '
        )


def test_zero_may_be_a_number_beside_a_range() -> None:
    read = values.integer(64, 100, or_zero=True)
    assert read(0) == 0
    assert refusal(read, 63) == "must be 0, or a whole number from 64 to 100, not 63"


def test_workers_are_a_number_or_auto() -> None:
    assert values.workers("auto") == 0
    assert values.workers(500) == 500
    assert refusal(values.workers, 0) == 'must be "auto" or a whole number from 1 to 500, not 0'
    assert [values.workers_written(0), values.workers_written(3)] == ["auto", 3]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("5m", 300), ("2h", 7200), ("1.5s", 1.5), ("90", 90), (3, 3), (0.25, 0.25)],
)
def test_durations_have_units_or_are_seconds(written: object, seconds: float) -> None:
    assert values.duration()(written) == seconds


@pytest.mark.parametrize(
    "bad",
    ["", "s", "10 s", "1d", "-1s", "1h30m", "٣s", "1e3s", -1, -0.5, math.nan, math.inf, -math.inf, True, [], None],
)
def test_what_is_no_duration_is_refused(bad: object) -> None:
    assert refusal(values.duration(or_zero=True), bad).startswith("must be a duration like")


@pytest.mark.parametrize("bad", ["999999999999h", "8761h", 1e308, 10**400, 1 << 2000])
def test_a_duration_is_at_most_a_year(bad: object) -> None:
    assert refusal(values.duration(or_zero=True), bad).startswith("must be at most 8760h, not ")


def test_zero_is_a_duration_only_where_it_means_something() -> None:
    assert [values.duration(or_zero=True)(zero) for zero in ("0", 0, "0s", 0.0)] == [0, 0, 0, 0]
    assert refusal(values.duration(), "0ms") == "must be more than 0"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0"), (0.5, "500ms"), (10.0, "10s"), (300.0, "5m"), (7200.0, "2h"), (90.0, "90s"), (0.0005, 0.0005)],
)
def test_a_duration_is_written_in_its_largest_unit(seconds: float, written: object) -> None:
    assert values.duration_written(seconds) == written
    assert values.duration(or_zero=True)(written) == seconds


def test_the_kernel_counts_keepalives_in_whole_seconds() -> None:
    assert values.keepalive_time("60s") == 60
    assert values.keepalive_time(0) == 0
    assert refusal(values.keepalive_time, "1500ms") == "must be whole seconds, not '1500ms'"
    assert refusal(values.keepalive_time, "10h").startswith("must be at most 32767s")


@pytest.mark.parametrize(
    ("written", "count"), [("64k", 65536), ("1m", 1 << 20), ("2K", 2048), ("7", 7), (9, 9), (0, 0)]
)
def test_sizes_have_units_or_are_bytes(written: object, count: int) -> None:
    assert values.size(1 << 30)(written) == count


@pytest.mark.parametrize("bad", ["", "k", "1g", "1.5k", "-1", -1, 1.0, True, {}])
def test_what_is_no_size_is_refused(bad: object) -> None:
    assert refusal(values.size(1 << 30), bad).startswith("must be a size like")


def test_a_size_has_its_bound() -> None:
    assert refusal(values.size(1 << 20), "2m") == "must be at most \"1m\", not '2m'"
    assert refusal(values.size(1 << 20), 16**10_000) == 'must be at most "1m", not a huge number'


def test_a_size_is_written_in_its_largest_unit() -> None:
    assert [values.size_written(count) for count in (0, 5, 2048, 3 << 20)] == ["0", "5", "2k", "3m"]


def test_a_choice_is_one_of_its_words() -> None:
    read = values.choice(Protocol)
    assert read("udp") is Protocol.UDP
    assert refusal(read, "tpc") == "must be tcp or udp, not 'tpc'"
    assert refusal(read, ["tcp"]) == "must be tcp or udp, not a list"
    assert values.choice_written(Protocol.UDP) == "udp"


def test_a_choice_of_later_versions_is_told_from_a_mistake() -> None:
    read = values.choice(HashKey, later=("sni",))
    assert refusal(read, "sni") == (
        "'sni' is not available in this version; must be client, client_port or listener_port"
    )


def test_a_choice_may_be_the_empty_word() -> None:
    assert values.choice(Role)("") is Role.ANY
    assert refusal(values.choice(Role), "x") == "must be \"\", primary or replica, not 'x'"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("client", (HashKey.CLIENT,)),
        ("listener_port + client", (HashKey.LISTENER_PORT, HashKey.CLIENT)),
    ],
)
def test_a_hash_key_is_a_word_or_several(text: str, key: tuple[HashKey, ...]) -> None:
    assert values.hash_key(text) == key
    assert values.hash_key(values.hash_key_written(key)) == key


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "must be words like 'client' joined by '+', not 5"),
        ("", "must be client, client_port or listener_port, not ''"),
        ("client+", "must be client, client_port or listener_port, not ''"),
        ("client+client", "'client+client' names a part twice"),
        ("sni", "'sni' is not available in this version; must be client, client_port or listener_port"),
    ],
)
def test_a_wrong_hash_key_is_refused(value: object, said: str) -> None:
    assert refusal(values.hash_key, value) == said


def test_a_path_is_made_absolute_because_a_daemon_changes_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert values.path_or_none("") == ""
    assert values.path_or_none("run/l4d.pid") == f"{tmp_path}/run/l4d.pid"
    assert values.path_or_none("/run/l4d.pid") == "/run/l4d.pid"
    assert values.log_target("l4d.log") == f"{tmp_path}/l4d.log"
    assert values.log_target("./log") == f"{tmp_path}/log"


def test_a_log_goes_to_a_word_or_to_what_looks_like_a_path() -> None:
    assert values.log_target("syslog") == "syslog"
    assert "or a path" in refusal(values.log_target, "sylog")
    assert "or a path" in refusal(values.log_target, "")


def test_an_access_log_may_be_off_and_a_listeners_own_may_be_that_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for read in (values.access_target, values.access_target_or_none):
        for word in ("off", "stdout", "stderr", "syslog", "journal"):
            assert read(word) == word
        assert read("access.log") == f"{tmp_path}/access.log"
        assert refusal(read, "stdou") == (
            "must be off, stdout, stderr, syslog, journal or a path like '/var/log/l4d.log', not 'stdou'"
        )
        assert refusal(read, 7) == "must be a string, not 7"
    assert values.access_target_or_none("") == ""
    assert "or a path" in refusal(values.access_target, "")


@pytest.mark.parametrize("form", ["text", "json", "$client $server", "${end}\t$$", "x$id"])
def test_a_log_format_is_a_word_or_a_template(form: str) -> None:
    assert values.log_format(form) == form


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "must be text, json or a template like \"$client $server $end\", not ''"),
        ("jason", "must be text, json or a template like \"$client $server $end\", not 'jason'; did you mean 'json'?"),
        ("$clinet", "there is no '$clinet'; did you mean 'client'?"),
        ("$client $", "has a '$' without a name (at character 9); a dollar is '$$'"),
        ("$client\n", "must not contain control characters"),
        ("$client" * 200, "must be at most 1000 characters, not 1400"),
        (True, "must be a string, not true"),
        (["$client"], "must be a string, not a list"),
    ],
)
def test_what_is_no_log_format_is_refused(value: object, said: str) -> None:
    assert refusal(values.log_format, value) == said


def test_a_relative_path_needs_a_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "working directory" in refusal(values.path_or_none, "l4d.pid")
