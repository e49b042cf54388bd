"""The guard, in a process of its own: what it ends, and what it lets be."""

import subprocess
import sys
import textwrap

import pytest

PREAMBLE = """
import asyncio, hashlib, hmac, re, signal, time
from l4d.control import guard as module
from l4d.control.guard import Guard, TooMuchError

module.LONGEST, module.LAST_RESORT = 0.5, 2.0

def burn(seconds):
    began = time.process_time()
    while time.process_time() < began + seconds:
        pass

def ends(compute):
    began = time.process_time()
    try:
        compute()
    except TooMuchError as error:
        took = time.process_time() - began
        print(error if 0.4 < took < 4 else f"after {took} s")

async def play():
    guard = Guard()
    guard.arm()
    await conversation()
    guard.disarm()
"""

ENDED = "takes more than a second of computing\n"


def play(conversation: str) -> subprocess.CompletedProcess[str]:
    text = f"{PREAMBLE}\nasync def conversation():\n{textwrap.indent(textwrap.dedent(conversation), '    ')}"
    command = (sys.executable, "-c", f"{text}\nasyncio.run(play())")
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize(
    "compute",
    [
        r"re.search(rb'(\w+\s?)+ready', b'y' * 65536)",
        "[re.search(b'.*ok', b'x' * 65536, re.DOTALL) for _ in range(1000)]",
        "burn(100)",
        "[hmac.new(b'password', b'salt', hashlib.sha256) for _ in range(1 << 30)]",
    ],
    ids=["catastrophic", "quadratic", "python", "hashing"],
)
def test_computing_without_end_is_ended(compute: str) -> None:
    played = play(f"ends(lambda: {compute})")
    assert (played.stdout, played.stderr, played.returncode) == (ENDED, "", 0)


def test_it_is_ended_again_and_again_whether_the_loop_turns_between_or_not() -> None:
    played = play(
        """
        ends(lambda: burn(100))
        ends(lambda: burn(100))
        await asyncio.sleep(0)
        ends(lambda: burn(100))
        """
    )
    assert (played.stdout, played.stderr, played.returncode) == (3 * ENDED, "", 0)


def test_a_loop_that_turns_may_be_busy_for_ever() -> None:
    played = play(
        """
        for _ in range(20):
            burn(0.1)
            await asyncio.sleep(0)
        """
    )
    assert (played.stderr, played.returncode) == ("", 0)


def test_one_that_sleeps_is_let_be_however_long() -> None:
    played = play("time.sleep(2)")
    assert (played.stderr, played.returncode) == ("", 0)


def test_nothing_is_ended_once_it_is_disarmed() -> None:
    played = play("Guard().disarm(); burn(1.5)")
    assert (played.stderr, played.returncode) == ("", 0)


def test_what_hears_no_signals_is_ended_with_the_process() -> None:
    played = play("hashlib.pbkdf2_hmac('sha256', b'password', b'salt', 2_000_000_000)")
    assert played.stderr == ""
    assert played.returncode == -26  # SIGVTALRM


def test_programs_do_not_inherit_it() -> None:
    played = play(
        """
        import subprocess, sys
        spin = "import time\\nwhile time.process_time() < 1.5: pass"
        assert subprocess.run([sys.executable, "-S", "-c", spin]).returncode == 0
        shown = "import signal; print(signal.getitimer(signal.ITIMER_PROF), signal.getsignal(signal.SIGPROF))"
        subprocess.run([sys.executable, "-c", shown])
        """
    )
    assert (played.stdout, played.stderr, played.returncode) == ("(0.0, 0.0) 0\n", "", 0)
