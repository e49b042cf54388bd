"""Data to standard output, messages to standard error; no traceback when nobody reads them."""

import contextlib
import os
import sys

from l4d.errors import StartError


def say(text: str) -> None:
    """Write data. Raises BrokenPipeError when the reader has left, StartError when it fails otherwise."""
    if sys.stdout is None:  # closed by who started us
        raise StartError("standard output is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        raise
    except OSError as error:
        _give_up_stdout()
        raise StartError(f"writing to standard output: {error.strerror}") from None


def complain(text: str) -> None:
    """Write a message. Where nobody can be told, the exit status has to do."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr)


def _give_up_stdout() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain about it once more at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
