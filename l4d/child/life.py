"""The frame of a child's life: whatever happens in it, the process ends, and what happened is told."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from l4d.log.log import Log


def live(log: Log, who: str, life: Callable[[], int]) -> NoReturn:
    """Run *life*, and end the process with the status it gives; 1, if it raised. Called in the child, never returns."""
    status = 1
    try:
        status = life()
    except OSError as error:
        log.error(f"cannot work: {error.strerror or error}")
    except Exception:  # nobody above can tell it
        log.bug(who)
    finally:
        sys.stderr.flush()
        os._exit(status)
