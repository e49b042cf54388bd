"""Signals as readable bytes."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from l4d.linux.signals import Signals
from tests.kit.processes import descriptors
from tests.kit.wait import is_readable

USED = (signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture
def signals() -> Iterator[Signals]:
    """USR1 is heeded, USR2 ignored; afterwards both do what they did."""
    former = [signal.getsignal(number) for number in USED]
    signals = Signals([signal.SIGUSR1], [signal.SIGUSR2])
    yield signals
    signals.close()
    for number, handler in zip(USED, former, strict=True):
        signal.signal(number, handler)


def test_a_signal_that_is_heeded_can_be_read(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)
    with socket.socket(fileno=os.dup(signals.fd)) as reader:
        assert is_readable(reader)
    assert signals.read() == [signal.SIGUSR1]


def test_a_signal_that_is_ignored_does_nothing(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGUSR2)
    assert signals.read() == []


def test_a_signal_that_our_starter_had_blocked_is_heeded() -> None:
    former = signal.getsignal(signal.SIGUSR1)
    signal.pthread_sigmask(signal.SIG_BLOCK, USED)
    signals = Signals([signal.SIGUSR1])
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signals.read() == [signal.SIGUSR1]
    finally:
        signals.close()
        signal.signal(signal.SIGUSR1, former)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, USED)


def test_reading_when_nothing_came_does_not_wait(signals: Signals) -> None:
    assert signals.read() == []


def test_a_storm_of_signals_neither_waits_nor_warns(signals: Signals) -> None:
    for _ in range(10_000):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert set(signals.read()) == {signal.SIGUSR1}


def test_closing_gives_everything_back() -> None:
    before = descriptors(os.getpid())
    Signals([]).close()
    assert descriptors(os.getpid()) == before
    assert signal.set_wakeup_fd(-1) == -1
