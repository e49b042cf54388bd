"""The steward: sees to it that there is a control process, of the generation that serves.

At a reload the next one is forked while the last one works on. When the next one is ready, which takes it a moment
for all it imports, the last one is told to leave, and only when it has left the next one begins: one process
at a time writes control's row. What it says there outlives it.

    none ----> starting --(ready)--> waiting for the last one to leave ----> at work
                  |
                  +--(it died)--> after a pause, another one
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from l4d.child import channel
from l4d.config.model import Config
from l4d.linux.process import describe_end
from l4d.log.log import Log
from l4d.loop.loop import IN, Loop
from l4d.master.generation import READY_TIMEOUT, Generation, died_early, pause_before_replacing
from l4d.master.pulse import Pulse
from l4d.master.spawn import Spawner
from l4d.master.timers import Timers
from l4d.stats.columns import Key

LEAVE_TIMEOUT = 2.0
"""A control process that is to make room for the next one, and is still there by then, is killed, in seconds."""

STOP_TIMEOUT = 0.5
"""The same when all stops."""

RETRY_PAUSE = 1.0
"""Before one that could not be forked is tried again, in seconds."""


class Parent(Protocol):
    """Who is told."""

    log: Log

    def control_looked(self) -> None:
        """The control process at work knows every server of its generation."""
        ...

    def control_left(self) -> None:
        """One control process less."""
        ...

    def control_asks(self, what: str) -> Sequence[str]:
        """The operator wants a reload, ..., see child/channel.py: why it cannot be; nothing, if it is begun."""
        ...

    def replaced(self, role: str) -> None:
        """A process has died, and another one is to take its place."""
        ...


@dataclass(eq=False, slots=True)
class Control:
    """A control process as its master sees it."""

    pid: int
    pidfd: int
    channel: socket.socket
    generation: Generation
    born: float
    ready: bool = False
    leaving: bool = False
    looked: bool = False


class Steward:
    """At most two control processes: the one at work, and the one that is to follow it."""

    def __init__(self, loop: Loop, timers: Timers, spawner: Spawner, parent: Parent) -> None:
        self._loop = loop
        self._timers = timers
        self._spawner = spawner
        self._parent = parent
        self._wanted: Generation | None = None
        self._current: Control | None = None
        self._next: Control | None = None
        self._early_deaths = 0
        self._ask_for_room: Callable[[], None] | None = None

    @property
    def idle(self) -> bool:
        """Whether there is no control process."""
        return self._current is None and self._next is None

    @property
    def keys(self) -> frozenset[Key]:
        """The numbers that those there are may write."""
        alive = [control.generation.keys for control in (self._current, self._next) if control is not None]
        return frozenset().union(*alive)

    def knows(self, generation: Generation) -> bool:
        """Whether control, if it needs any, has found out about its servers, and answers operators in its name."""
        if not needs_control(generation.prepared.config):
            return True
        return self._current is not None and self._current.generation is generation and self._current.looked

    def serve(self, generation: Generation) -> None:
        """*generation* is about to serve: have a control process for it, if it needs one."""
        self._wanted = generation if needs_control(generation.prepared.config) else None
        self._early_deaths = 0
        if self._next is not None:
            self._kill(self._next)
        if self._wanted is not None:
            self._begin(generation)
        elif self._current is not None:
            self._tell_to_leave(self._current)

    def wait_for_room(self, ask: Callable[[], None]) -> None:
        """Another master's control is at work: when ours is ready, *ask* that it leaves, and wait for `have_room`."""
        self._ask_for_room = ask

    def have_room(self) -> None:
        """There is no other control."""
        self._ask_for_room = None
        if self._current is None:
            self._promote()

    def stop(self) -> None:
        """No control process is needed any more."""
        self._wanted = None
        for control in (self._current, self._next):
            if control is not None and not control.leaving:
                self._tell_to_leave(control, STOP_TIMEOUT)

    def tell(self, word: bytes, *descriptors: int) -> None:
        """Say one word to every control process there is."""
        for control in (self._current, self._next):
            if control is not None:
                channel.say(control.channel, word, *descriptors)

    def _begin(self, generation: Generation) -> None:
        if generation is not self._wanted:
            return
        try:
            pid, pidfd, ours = self._spawner.control(generation.number, generation.prepared)
        except OSError as error:
            self._parent.log.seldom("control", f"starting the control process: {error}")
            self._timers.after(RETRY_PAUSE, lambda: self._begin(generation))
            return
        control = self._next = Control(pid, pidfd, ours, generation, time.monotonic())
        self._loop.watch(ours.fileno(), IN, lambda _mask: self._on_word(control))
        self._loop.watch(pidfd, IN, lambda _mask: self._on_exit(control))
        self._timers.after(READY_TIMEOUT, lambda: self._too_slow(control))

    def _on_word(self, control: Control) -> None:
        heard = channel.hear(control.channel)
        if heard is None:
            return
        if heard[0] == channel.LOOKED:
            control.looked = True
            self._parent.control_looked()
            return
        if heard[0].startswith(channel.ASK):
            number, what = channel.asked(heard[0])
            channel.say(control.channel, channel.answer(number, self._parent.control_asks(what)))
            return
        if heard[0] != channel.READY:
            self._loop.forget(control.channel.fileno())  # its end; the pidfd tells the rest
            return
        control.ready = True
        if control is self._next and not control.leaving:
            if self._current is not None:
                self._tell_to_leave(self._current)
            elif self._ask_for_room is not None:
                self._ask_for_room()
            else:
                self._promote()

    def _too_slow(self, control: Control) -> None:
        if control is self._next and not control.ready:
            self._give_up(control, f"is not ready after {READY_TIMEOUT:g} s")

    def _promote(self) -> None:
        """The last one is gone: the next one, if it is ready and is to stay, begins."""
        control = self._next
        if control is None or not control.ready or control.leaving:
            return
        self._current, self._next = control, None
        channel.say(control.channel, channel.GO)
        Pulse(
            self._timers,
            lambda: self._spawner.control_heartbeat() if control is self._current else None,
            lambda: self._give_up(control, "hangs"),
        ).listen()

    def _give_up(self, control: Control, why: str) -> None:
        """It does not check and resolve (any more): another one is to do so."""
        self._parent.log.error(f"the control process (pid {control.pid}) {why}, and is killed")
        signal.pidfd_send_signal(control.pidfd, signal.SIGKILL)

    def _tell_to_leave(self, control: Control, patience: float = LEAVE_TIMEOUT) -> None:
        control.leaving = True
        channel.say(control.channel, channel.STOP)
        self._timers.after(patience, lambda: self._kill(control))

    def _kill(self, control: Control) -> None:
        if control in {self._current, self._next}:
            control.leaving = True
            signal.pidfd_send_signal(control.pidfd, signal.SIGKILL)

    def _on_exit(self, control: Control) -> None:
        _pid, status = os.waitpid(control.pid, 0)
        self._loop.forget(control.pidfd)
        self._loop.forget(control.channel.fileno())
        control.channel.close()
        os.close(control.pidfd)
        if control is self._current:
            self._current = None
            self._promote()
        elif control is self._next:
            self._next = None
        if not control.leaving:
            self._parent.log.error(f"the control process (pid {control.pid}) {describe_end(status)}; traffic goes on")
            self._replace(control)
        self._parent.control_left()

    def _replace(self, dead: Control) -> None:
        """Another one, at once, or after a pause if they keep dying."""
        if dead.generation is not self._wanted or self._next is not None:
            return
        self._parent.replaced("control")
        self._early_deaths = self._early_deaths + 1 if died_early(dead, time.monotonic()) else 0
        pause = pause_before_replacing(self._early_deaths)
        if pause:
            self._parent.log.warning(f"the control process keeps dying; the next one starts in {pause:g} s")
        self._timers.after(pause, lambda: self._begin(dead.generation))


def needs_control(config: Config) -> bool:
    """Whether there is anything to check or to resolve, or an operator to answer."""
    return bool(config.admin.addresses) or any(
        upstream.checked or any(server.named for server in upstream.servers) for upstream in config.upstreams.values()
    )
