"""What a process asks of the kernel for itself. Each asks in a process of its own."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from l4d.linux import process


def told_by(code: str) -> list[str]:
    """What a program that does *code* prints, in words."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.split()


def test_a_child_is_sent_sigterm_when_its_parent_is_gone() -> None:
    """The parent waits for the child's word before it leaves, so the child's wish is known to the kernel by then."""
    told = told_by(
        """
import os, signal, sys
from l4d.linux import process
reader, writer = os.pipe()
master = os.getpid()
if os.fork():
    os.read(reader, 1)
    os._exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
agreed = process.die_with_parent(master)
os.write(writer, b"x")
number = signal.sigtimedwait({signal.SIGTERM}, 10)
print(agreed, number.si_signo == signal.SIGTERM if number else "nothing came")
"""
    )
    assert told == ["True", "True"]


def test_a_parent_that_was_gone_before_is_noticed() -> None:
    told = told_by("from l4d.linux import process; print(process.die_with_parent(1 << 30))")
    assert told == ["False"]


def test_what_the_kernel_refuses_is_an_error_with_its_number() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        process._prctl(-1, 0)


def test_a_process_may_give_up_new_rights_for_good() -> None:
    told = told_by(
        """
from l4d.linux import process
process.forbid_new_privileges()
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")))
"""
    )
    assert told == ["1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_is_given_up_for_good_with_all_its_groups() -> None:
    told = told_by(
        """
import os
from l4d.linux import process
process.become(65534, 65533)
print(*os.getresuid(), *os.getresgid(), len(os.getgroups()))
try:
    os.setuid(0)
except PermissionError:
    print("refused")
"""
    )
    assert told == ["65534"] * 3 + ["65533"] * 3 + ["0", "refused"]


def test_a_slot_has_a_cpu_of_those_it_may_run_on_counted_round() -> None:
    told = told_by(
        """
import os
from l4d.linux import process
cpus = sorted(os.sched_getaffinity(0))
print(process.cpu_count() == len(cpus))
for slot in (0, len(cpus) - 1, len(cpus)):
    os.sched_setaffinity(0, cpus)
    process.stay_on_cpu(slot)
    print(os.sched_getaffinity(0) == {cpus[slot % len(cpus)]}, process.cpu_count())
"""
    )
    assert told == ["True"] + ["True", "1"] * 3


def test_a_process_may_leave_its_terminal() -> None:
    """Its last word goes through a copy of the output it had."""
    told = told_by(
        """
import os
from l4d.linux import process
before = os.dup(1)
process.leave_terminal()
where = {os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)}
os.write(before, " ".join(where).encode())
"""
    )
    assert told == ["/dev/null"]


def test_memory_may_be_limited_as_far_as_the_limit_allows() -> None:
    told = told_by(
        """
from resource import RLIMIT_DATA, getrlimit, setrlimit
from l4d.linux import process
before = getrlimit(RLIMIT_DATA)
process.limit_data(256 << 20)
print(getrlimit(RLIMIT_DATA)[0] == 256 << 20, getrlimit(RLIMIT_DATA)[1] == before[1])
try:
    bytearray(300 << 20)
except MemoryError:
    print("refused")
process.limit_data(300 << 20)
print(getrlimit(RLIMIT_DATA)[0] == 256 << 20)
process.allow_data()
print(getrlimit(RLIMIT_DATA)[0] == before[1])
setrlimit(RLIMIT_DATA, (200 << 20, 200 << 20))
process.limit_data(256 << 20)
print(getrlimit(RLIMIT_DATA) == (200 << 20, 200 << 20))
"""
    )
    assert told == ["True", "True", "refused", "True", "True", "True"]


def status_of(program: str) -> int:
    """What waitpid says of a shell that has run *program*."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", program], {})
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize("number", [0, 1, 78])
def test_an_exit_has_a_status(number: int) -> None:
    assert process.describe_end(status_of(f"exit {number}")) == f"exited with status {number}"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_has_a_name(number: signal.Signals) -> None:
    assert process.describe_end(status_of(f"ulimit -c 0; kill -{number.value} $$")) == f"was killed by {number.name}"


def test_a_real_time_signal_has_a_number() -> None:
    number = signal.SIGRTMIN + 5
    assert process.describe_end(status_of(f"kill -{number} $$")) == f"was killed by signal {number}"


def test_the_memory_of_a_process_is_told_and_one_that_is_gone_has_none() -> None:
    known = psutil.Process().memory_info().rss
    assert abs(process.resident_bytes(os.getpid()) - known) < known / 4
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)
    assert process.resident_bytes(gone) == 0
