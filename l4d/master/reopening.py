"""USR1: log files are opened anew, and handed to the processes that write them, who may have no right to open them.

What cannot be opened is said, and those who write go on in the file they have. Standard output and error, syslog and
the journal need no reopening.
"""

import os

from l4d.child import channel
from l4d.errors import StartError
from l4d.log.sinks import open_file
from l4d.master.generations import Generations


def reopen(generations: Generations) -> list[str]:
    """Open all log files of all generations anew. Why some cannot be."""
    return [*_reopen_log(generations), *_reopen_access_logs(generations)]


def _reopen_log(generations: Generations) -> list[str]:
    serving, log = generations.serving, generations.log
    path = serving.prepared.config.log.error if serving is not None else ""
    if not os.path.isabs(path):
        return []
    try:
        fd = open_file(path)
    except StartError as error:
        log.error(str(error))
        return [str(error)]
    for generation in generations.all:
        # One that leaves may write elsewhere, and one that never served has closed what it had.
        if generation.prepared.config.log.error == path and not generation.abandoned:
            generations.nursery.tell(generation, channel.LOG, fd)
            generation.prepared.sink.reopen(fd)
    generations.steward.tell(channel.LOG, fd)
    os.close(fd)
    log.info("log file reopened")
    return []


def _reopen_access_logs(generations: Generations) -> list[str]:
    """Each file once, for all generations that write it."""
    problems, reopened = [], []
    paths = {
        path: key
        for generation in generations.all
        for path, key in generation.prepared.config.access_logs().items()
        if os.path.isabs(path)
    }
    for path, key in paths.items():
        try:
            fd = open_file(path, key)
        except StartError as error:
            generations.log.error(str(error))
            problems.append(str(error))
            continue
        for generation in generations.all:
            access = generation.prepared.access
            if path in access:
                generations.nursery.tell(generation, channel.access([*access].index(path)), fd)
                access[path] = access[path].go_on_in(fd)
        os.close(fd)
        reopened.append(path)
    if reopened:
        generations.log.info(f"access logs reopened: {', '.join(reopened)}")
    return problems
