"""What a process asks of the kernel for itself: to die with its parent, to lose rights, to stay on a CPU."""

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs of the operator's are looked for, whatever our own PATH is."""

_CAN_SET_IDS = 1 << 6 | 1 << 7

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    """prctl(2). Raises OSError."""
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent(parent: int, by: signal.Signals = signal.SIGTERM) -> bool:
    """Be sent the signal *by* when the parent's life ends. False: *parent* is gone already.

    To be called after the user was changed; that clears the setting (PR_SET_PDEATHSIG(2const)).
    """
    _prctl(PR_SET_PDEATHSIG, by)
    return os.getppid() == parent


def forbid_new_privileges() -> None:
    """No program started from here gains rights by its file's bits (PR_SET_NO_NEW_PRIVS(2const))."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def limit_data(most: int) -> None:
    """Have at most *most* bytes of memory of one's own, as far as it may be limited; allow_data ends that.

    What would need more is refused: MemoryError. See RLIMIT_DATA in setrlimit(2).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))


def allow_data() -> None:
    """Have as much memory as one may."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def can_change_user() -> bool:
    """Whether this process has CAP_SETGID and CAP_SETUID (capabilities(7)), as root has unless they were taken."""
    with open("/proc/self/status", "rb") as status:
        [effective] = [int(line.split()[1], 16) for line in status if line.startswith(b"CapEff:")]
    return effective & _CAN_SET_IDS == _CAN_SET_IDS


def become(uid: int, gid: int) -> None:
    """Give up root for *uid* and *gid*, with no supplementary groups. Raises OSError."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def leave_terminal() -> None:
    """Standard input, output and error are nowhere from here on."""
    null = open_null()
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def open_null() -> int:
    """A descriptor of nowhere."""
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def stay_on_cpu(slot: int) -> None:
    """Run on one CPU: the *slot*-th of those this process may run on, counted round."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[slot % len(cpus)]})


def resident_bytes(pid: int) -> int:
    """How much memory a process has, what it shares with others included; 0: it is gone (proc_pid_statm(5))."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def cpu_count() -> int:
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0))


def describe_end(status: int) -> str:
    """How a process has ended, by the *status* waitpid(2) gives: "exited with status 1", "was killed by SIGKILL"."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        known = number in set(signal.Signals)  # the real-time signals between the first and the last have no name
        return f"was killed by {signal.Signals(number).name if known else f'signal {number}'}"
    return f"exited with status {os.WEXITSTATUS(status)}"
