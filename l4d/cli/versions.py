"""The versions, of `l4d -v` and `l4d -V`; for the latter also what l4d uses of this kernel, found out by asking it."""

import os
import platform
import socket
import sys
from collections.abc import Callable

from l4d import __version__


def short() -> str:
    """The line of `l4d -v`."""
    return f"l4d {__version__}\n"


def long() -> str:
    """The lines of `l4d -V`."""
    facts = {
        "Python": f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})",
        "kernel": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "data path": _data_path(),
        "CPUs": f"{len(os.sched_getaffinity(0))}, one worker each by default",
        **{name: _answer(question) for name, question in _QUESTIONS.items()},
    }
    return short() + "".join(f"  {name:12}  {text}\n" for name, text in facts.items())


def _data_path() -> str:
    from l4d.loop import loop

    return "interpreted" if loop.__file__.endswith((".py", ".pyc")) else "compiled with mypyc"


def _answer(question: Callable[[], str]) -> str:
    try:
        return question()
    except OSError as error:
        return f"no: {error.strerror}"


def _reuseport() -> str:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return "yes: every worker has a listening socket of its own"


def _splice() -> str:
    from l4d.linux.pipes import Pipe, share

    pool = share(workers=1)
    pipe = Pipe(pool.size)
    pipe.close()
    return f"yes: through pipes of {pipe.size >> 10} KiB, at most {pool.most} at a time over all workers"


def _trains() -> str:
    from l4d.linux import datagram, options

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        datagram.take_trains(sock)
        sock.setsockopt(options.SOL_UDP, options.UDP_SEGMENT, 0)
    return "yes: datagrams of one size cross as one (UDP_GRO, UDP_SEGMENT)"


def _pidfd() -> str:
    os.close(os.pidfd_open(os.getpid()))
    return "yes: the end of a worker is noticed at once"


def _board() -> str:
    os.close(os.memfd_create("l4d-probe"))
    return "yes: the workers' counters lie in shared memory"


_QUESTIONS = {"SO_REUSEPORT": _reuseport, "splice": _splice, "UDP offload": _trains, "pidfd": _pidfd, "memfd": _board}
