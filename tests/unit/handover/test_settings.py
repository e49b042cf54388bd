"""The settings of a listener that goes with its sessions."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.handover import settings
from l4d.handover.record import RecordError
from l4d.terms import Protocol, Relay
from tests.unit.handover.test_record import everything
from tests.unit.making import UNHURRIED, listener

TOLD = settings.told(listener())
durations = st.floats(0, 1e7)


def sent(plain: object) -> Any:
    return json.loads(json.dumps(plain))


@UNHURRIED
@given(
    protocol=st.sampled_from(Protocol),
    relay=st.sampled_from(Relay),
    idle_timeout=durations,
    half_close=st.booleans(),
    half_close_timeout=durations,
    max_session_time=durations,
    responses=st.integers(-1, 65535),
    requests=st.integers(0, 65535),
    access_log=st.sampled_from(["", "off", "/var/log/mine"]),
    upstream=st.text(max_size=5),
)
def test_what_counts_while_a_session_lives_arrives_as_it_was(**changes: Any) -> None:
    told = listener(**changes)
    understood = settings.understood("web", sent(settings.told(told)))
    assert understood == replace(understood, name="web", **changes)


def test_a_listener_that_is_gone_has_no_address() -> None:
    understood = settings.understood("web", TOLD)
    assert (understood.name, understood.bind, understood.addresses) == ("web", (), ())


def test_a_setting_that_is_missing_has_its_default_for_the_protocol() -> None:
    assert settings.understood("web", {}).idle_timeout == 600
    assert settings.understood("dns", {"protocol": "udp"}).idle_timeout == 60


@UNHURRIED
@given(everything)
def test_a_setting_that_is_not_known_yet_is_passed_over(value: Any) -> None:
    assert settings.understood("web", TOLD | {"of the next version": value}) == settings.understood("web", TOLD)


@UNHURRIED
@given(st.sampled_from(sorted(TOLD)), everything)
def test_a_setting_of_the_wrong_kind_is_an_error_of_the_record(name: str, value: Any) -> None:
    try:
        understood = settings.understood("web", TOLD | {name: sent(value)})
    except RecordError as error:
        assert str(error).startswith("listeners.web")
        return
    assert type(getattr(understood, name)) is type(getattr(listener(), name))


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {"protocol": "sctp"},
        {"protocol": []},
        {"relay": "carry"},
        {"idle_timeout": "10m"},
        {"idle_timeout": -1},
        {"idle_timeout": float("nan")},
        {"half_close": 1},
        {"responses": -2},
        {"responses": 1.5},
        {"requests": True},
    ],
)
def test_what_no_listener_can_have_is_refused(plain: object) -> None:
    with pytest.raises(RecordError, match=r"listeners\.web"):
        settings.understood("web", plain)


def test_an_upstream_that_is_gone_has_no_servers() -> None:
    gone = settings.gone_upstream("db")
    assert (gone.name, gone.servers) == ("db", ())
