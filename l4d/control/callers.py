"""The workers that have called control, so that they can be asked: a connection to each.

Anybody on the machine may call; who is no worker by the board is sent away. A connection ends with the worker, and with
the first message that is none.
"""

import asyncio
import socket
from typing import Final, Protocol

from l4d.handover.link import Link
from l4d.handover.record import Json, RecordError
from l4d.linux import calls
from l4d.linux.messages import close_all
from l4d.log.log import Log
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.process import Process, processes

MOST_CALLS: Final = 64
"""Answered in one event: of strangers who call there may be no end."""

PAUSE: Final = 0.2
"""Seconds in which nobody is answered when there is no descriptor left."""


class Hearer(Protocol):
    """Who wants to hear of them, each by its pid."""

    def called(self, pid: int) -> None:
        """It can be asked from now on."""
        ...

    def heard(self, pid: int, head: Json) -> None:
        """It has said this. Raises RecordError: that is no message."""
        ...

    def lost(self, pid: int) -> None:
        """It cannot be asked any more, unless it calls again."""
        ...


class Callers:
    """All workers that have called."""

    def __init__(self, listening: socket.socket, board: Board, columns: Columns, log: Log, hearer: Hearer) -> None:
        """*listening* is what workers call; see `open`."""
        self._listening = listening
        self._board = board
        self._columns = columns
        self._log = log
        self._hearer = hearer
        self._links: dict[int, Link] = {}  # by pid
        self._resting: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Answer those who call from now on; nobody else does, since the last control process is gone."""
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._on_call)

    def close(self) -> None:
        """Those who call wait for the next control process; so will those whose connection ends with this."""
        asyncio.get_running_loop().remove_reader(self._listening.fileno())
        if self._resting is not None:
            self._resting.cancel()
        for pid in list(self._links):
            self._lose(pid)

    def workers(self) -> list[Process]:
        """All that there are, whether or not they have called."""
        return [process for process in processes(self._board, self._columns) if process.is_worker]

    def say(self, pid: int, head: Json) -> None:
        """Tell a worker something, if it has called."""
        link = self._links.get(pid)
        if link is None:
            return
        try:
            link.send(head)
        except OSError:
            return  # its end is told as an event
        if link.clogged:
            asyncio.get_running_loop().add_writer(link.fileno(), self._flush, pid, link)

    def _on_call(self) -> None:
        known = {worker.pid for worker in self.workers()}
        for _ in range(MOST_CALLS):
            try:
                answered = calls.answer(self._listening)
            except OSError as error:
                self._log.seldom("calls", f"answering the workers: {(error.strerror or str(error)).lower()}; pausing")
                self._rest()
                return
            if answered is None:
                return
            sock, pid = answered
            if pid in known:
                self._add(pid, Link(sock))
                continue
            if not _has_left(sock):
                self._log.seldom("stranger", f"process {pid} is none of the workers, and was sent away")
            sock.close()

    def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening.fileno())
        self._resting = loop.call_later(PAUSE, self.open)

    def _add(self, pid: int, link: Link) -> None:
        if pid in self._links:  # it has given the last one up
            self._lose(pid)
        self._links[pid] = link
        asyncio.get_running_loop().add_reader(link.fileno(), self._on_link, pid, link)
        self._hearer.called(pid)

    def _on_link(self, pid: int, link: Link) -> None:
        try:
            message = link.receive()
            if message is not None:
                close_all(message.descriptors)  # none is due
                self._hearer.heard(pid, message.head)
        except RecordError as error:
            self._log.error(f"asking worker {pid}: {error}")
            self._lose(pid)
        except OSError:  # it is gone
            self._lose(pid)

    def _lose(self, pid: int) -> None:
        self._hearer.lost(pid)
        link = self._links.pop(pid)
        loop = asyncio.get_running_loop()
        loop.remove_reader(link.fileno())
        loop.remove_writer(link.fileno())
        link.close()

    def _flush(self, pid: int, link: Link) -> None:
        try:
            link.flush()
        except OSError:
            self._lose(pid)
            return
        if not link.clogged:
            asyncio.get_running_loop().remove_writer(link.fileno())


def _has_left(sock: socket.socket) -> bool:
    """Whether who called is gone: say a worker that was waiting while there was no control process, and is over."""
    try:
        return not sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
