"""What a worker does about words of its master that it cannot do anything with."""

import os
from contextlib import ExitStack
from dataclasses import replace

import pytest

from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.log.log import Log
from l4d.terms import Level
from l4d.worker import worker as worker_module
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.worker import Worker
from tests.kit.processes import own_descriptors
from tests.unit.making import CONTROL, Lines, OwnBoard, Row, config_of, upstream


class NoSignals:
    """None ever comes."""

    def __init__(self, _heeded: object, _ignored: object) -> None:
        self.fd, self._writer = os.pipe()

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._writer)


@pytest.mark.parametrize(
    "word", [channel.TAKE_OVER, channel.hand_over(0, 1), channel.LOG, channel.access(0), b"sing a song"]
)
def test_a_word_without_its_descriptor_or_of_a_later_master_ends_nothing(
    word: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has no number left hears the word alone."""
    monkeypatch.setattr(worker_module, "Signals", NoSignals)
    monkeypatch.setattr(worker_module, "setproctitle", lambda _title: None)
    with ExitStack() as stack:
        board = OwnBoard(rows=8, columns=2048)
        row = Row(board)
        theirs, ours = channel.pair()
        stack.enter_context(theirs)
        stack.enter_context(ours)
        config = replace(config_of(upstream()), listeners={})
        sink = Lines()
        common = Assignment(1, config, None, board, row.columns, row.number, CONTROL, ours, sink, 1, False)
        worker = Worker(WorkerAssignment.of(common, 0, 1, {}, {}, {}, b"", {}), Log(sink, Level.DEBUG, "worker"))
        channel.say(theirs, word)
        if word == b"sing a song":
            channel.say(theirs, word, theirs.fileno())
        channel.say(theirs, channel.BEGIN)
        channel.say(theirs, channel.STOP)
        before = own_descriptors()
        worker.serve()
        assert channel.hear(ours) is None, "it has heard all, to the last word"
        said = (
            [f"no descriptor is left for what the word {word.decode()} brings"] if channel.has_descriptor(word) else []
        )
        assert sink.texts == said
        assert channel.hear(theirs) == (channel.READY, [])
        assert own_descriptors() < before
        worker._signals.close()
