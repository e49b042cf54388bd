"""The generations of a master: which one serves, which one starts, which ones leave. It knows nothing of signals.

    begin ----> starting --(commit)--> serving --(a commit, retire)--> leaving --> gone
                   |
                   +--(abandon)--> leaving

A commit is the one moment at which another generation becomes the present; an abandoned one leaves all as it was.
"""

import time
from collections.abc import Sequence

from l4d.child import channel
from l4d.errors import StartError
from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.master.arrival import Arrival
from l4d.master.departures import Departures
from l4d.master.estate import Estate
from l4d.master.generation import Child, Generation, Slot
from l4d.master.handover import Heirs, Successors
from l4d.master.nursery import Nursery
from l4d.master.prepare import Prepared
from l4d.master.roles import Elders, Parent
from l4d.master.spawn import Spawner
from l4d.master.steering import Steering
from l4d.master.steward import Steward
from l4d.master.timers import Timers
from l4d.stats import catalogue, changes, tally
from l4d.stats.board import BoardFullError
from l4d.stats.columns import Key

QUIET_TIMEOUT = 1.0
"""A worker that has not stopped accepting by then will not be waited for, in seconds."""


class Generations:
    """All of one master's, with the processes in them."""

    def __init__(self, loop: Loop, estate: Estate, log: Log, parent: Parent, *, detached: bool) -> None:
        """*log* is used until a configuration says where to; *detached* children hold no terminal open."""
        self.log = log
        self.serving: Generation | None = None
        self._arrival: Arrival | None = None
        self._elders: Elders | None = None
        self._estate = estate
        self._parent = parent
        self._last_keys: frozenset[Key] = frozenset()
        self._timers = Timers(loop)
        self.spawner = Spawner(
            estate.board, estate.columns, estate.control_row, estate.inquiries, estate.changes, detached=detached
        )
        self.nursery = Nursery(loop, self._timers, self.spawner, self)
        self.steward = Steward(loop, self._timers, self.spawner, self)
        self.leaving = Departures(self._timers, self.nursery, self)
        self._steering = Steering(estate, self._timers, self)

    @property
    def starting(self) -> Generation | None:
        return self._arrival.generation if self._arrival is not None else None

    @property
    def all(self) -> list[Generation]:
        return [each for each in (self.serving, self.starting, *self.leaving.generations) if each is not None]

    @property
    def alone(self) -> bool:
        """Whether there is no process left. Control leaves after the last worker, once told to."""
        return self.steward.idle and not self.have_workers

    @property
    def have_workers(self) -> bool:
        return any(each.children for each in self.all)

    @property
    def settled(self) -> bool:
        """Whether no process but those of what serves has the sockets, and no change is under way."""
        return self._elders is None and not self.leaving.children and not self._parent.is_busy()

    # One comes up, or does not

    def begin(self, prepared: Prepared) -> None:
        """Fork the workers of a new generation. Raises StartError; nothing of it is left then."""
        try:
            keys = tally.reserve(self._estate.columns, prepared.config, prepared.slots)
            slots = [Slot(number) for number in range(prepared.slots)]
            generation = Generation(self._estate.last_number + 1, prepared, keys, slots)
            self.nursery.fill(generation)
        except (StartError, BoardFullError) as error:
            prepared.drop()
            self._forget_names()
            raise StartError(str(error)) from None
        self._estate.last_number = generation.number
        self._arrival = Arrival(generation, self._timers, self.steward, self)
        self.steward.serve(generation)

    def worker_ready(self, child: Child) -> None:
        """A worker could serve: one that replaces another begins, all others wait for the commit."""
        if child.generation in self.leaving.generations:
            self.leaving.handover.join(child)
            return
        if not child.generation.serving:
            self.control_looked()
            return
        self.leaving.handover.relink(child.slot)
        if self._elders is not None:
            self._elders.relink(child.slot)
        else:
            channel.say(child.channel, channel.BEGIN)

    def tell(self, slot: int, word: bytes, *descriptors: int) -> None:
        """Say one word to the worker in *slot* of what serves, or of the first that starts, if there is one now."""
        generation = self.serving or self.starting
        child = generation.child_of(slot) if generation is not None else None
        if child is not None:
            channel.say(child.channel, word, *descriptors)

    def control_looked(self) -> None:
        """Control knows every server, or a worker is ready: the one that starts may have arrived."""
        if self._arrival is not None:
            self._arrival.look()

    def arrived(self) -> None:
        """The one that starts could serve."""
        assert self._arrival is not None
        if self._elders is not None and not self._estate.ours:
            self._elders.arrived(self._arrival.generation)
        else:
            self.commit()

    def worker_died_unready(self, generation: Generation, words: str) -> None:
        """A generation that loses a worker before it serves does not come up."""
        if generation is self.starting:
            self.abandon(f"{words} before it was ready")

    def commit(self) -> None:
        """Every worker of the new generation accepts: the old one leaves."""
        assert self._arrival is not None
        generation, self._arrival = self._arrival.generation, None
        prepared = generation.prepared
        old, self.serving = self.serving, generation
        own_elders = self._estate.ours  # else it is those of another master that hand over
        what = changes.RELOAD if own_elders else changes.UPGRADE
        self._last_keys = generation.keys
        generation.serving = True
        if own_elders:  # else when the estate is ours
            self._estate.note_commit(generation.number)
        self._steering.tcp(generation)
        if own_elders and prepared.config.main.handover:
            self.leaving.hand_over(old, Successors(generation), lambda: self._steering.udp(generation))
        elif own_elders:
            self._steering.udp(generation)
        self.nursery.tell(generation, channel.BEGIN)
        if self._elders is not None and old is not None:
            self._relink(self._elders, old, generation)
        last_log, self.log = self.log, Log(prepared.sink, prepared.config.log.level, "master", self._estate.lost_line)
        if old is None and all(each.prepared.sink is not last_log.sink for each in self.leaving.generations):
            last_log.sink.close()
        for name, bound in prepared.plan.opened():
            protocol = prepared.config.listeners[name].protocol.value
            self.log.info(f"listening on {protocol} {bound.address} (listeners.{name})")
        for words in prepared.doors.opened():
            self.log.info(words)
        if old is not None:
            self._leave(old, channel.DRAIN, prepared)
        self._estate.keep(prepared)
        self.note(changes.START if own_elders and not self._estate.changes.all else what, changes.SUCCESS)
        if old is None and own_elders:
            self._announce(generation)
        else:
            self._timers.after(QUIET_TIMEOUT, lambda: self._announce(generation))
        if old is not None:
            self.leaving.look(old)
        self._parent.generation_settled()

    def _relink(self, elders: Elders, old: Generation, new: Generation) -> None:
        """What *elders* of another master have left comes to *new*, no longer to *old*."""
        for slot in range(min(len(old.slots), len(new.slots))):
            elders.relink(slot)

    def generation_quiet(self, old: Generation) -> None:
        """From the word "ready" on every client meets the new configuration, so the old workers must have stopped."""
        if self.serving is None:
            self._parent.generation_quiet()
        elif old.number < self.serving.number:
            self._announce(self.serving)

    def _announce(self, generation: Generation) -> None:
        """Say once that *generation* serves, alone."""
        if generation is not self.serving or generation.announced:
            return
        generation.announced = True
        self.log.info(f"ready: generation {generation.number}, {len(generation.slots)} workers")
        self._parent.generation_announced()

    def abandon(self, why: str) -> None:
        """The starting generation does not come up: without it all is as it was."""
        assert self._arrival is not None
        generation = self._arrival.generation
        self._arrival.end()
        self._arrival = None
        self.leaving.kill(generation)
        if self.serving is not None:
            self.steward.serve(self.serving)
        else:
            self.steward.stop()
        generation.prepared.drop()
        self._parent.generation_failed(StartError(f"generation {generation.number} did not come up: {why}"))
        self._left(generation)

    def note(self, what: str, result: str, message: str = "") -> None:
        """Something has changed, or has not because of *message*: let the operator know."""
        number = self.serving.number if self.serving is not None else 0
        self._estate.changes.add(changes.Change(time.time(), what, result, number, message))
        self.steward.tell(channel.changes(self._estate.changes.encode()))

    # One leaves

    def retire(self) -> None:
        """What serves finishes and leaves, without a successor; the listening sockets are closed."""
        if self.starting is not None:
            self.abandon("the workers are to leave")
        if self.serving is not None:
            serving, self.serving = self.serving, None
            self._estate.retire_sockets()
            self._leave(serving, channel.FINISH, serving.prepared)

    def give_way(self, heirs: Heirs) -> None:
        """What serves leaves, to *heirs*: another master's generation has the listening sockets now."""
        assert self.serving is not None
        serving, self.serving = self.serving, None
        if serving.prepared.config.main.handover:
            self.leaving.hand_over(serving, heirs, lambda: self._steering.udp_away(heirs.slots))
        else:
            self._steering.udp_away(heirs.slots)
        self.steward.stop()
        self._leave(serving, channel.DRAIN, serving.prepared)

    def end(self) -> None:
        """Every process ends now, and every session with it."""
        self.leaving.handover.stop()
        self.steward.stop()
        for generation in self.all:
            self.leaving.end_sessions(generation)

    def release(self) -> None:
        """No process is left: close what was opened for them."""
        if self.starting is not None:
            self.starting.prepared.drop()
        if self.serving is not None:
            self.serving.prepared.close_access()

    def _leave(self, generation: Generation, word: bytes, present: Prepared) -> None:
        """Let it go by *word*, within the drain_timeout of what is the *present*."""
        self.leaving.begin(generation, word, present.config.main.drain_timeout)
        self._left(generation)

    def worker_said(self, child: Child, word: bytes) -> None:
        """A worker has a word about its leaving, about those that have left, or about sockets that it had."""
        if word == channel.VACANT:
            self._steering.vacant(child)
        elif word == channel.SHED:
            self._steering.shed(child)
        else:
            self.leaving.heard(child, word)

    def worker_left(self, child: Child) -> None:
        """A worker of a generation that leaves is gone."""
        self.leaving.left(child)
        self._parent.process_left()

    def _left(self, generation: Generation) -> None:
        self.leaving.look(generation)
        self._parent.process_left()

    def handed_over(self) -> None:
        """All sessions that could be moved at once are: another generation may begin."""
        self._parent.generation_settled()

    def generation_gone(self, generation: Generation) -> None:
        """Its names may be nobody's now. Until here one of its workers might have had to be born again."""
        prepared = generation.prepared
        prepared.close_access()
        if generation.serving and prepared.sink is not self.log.sink:
            prepared.sink.close()
        self._forget_names()
        self._parent.generation_settled()

    def control_asks(self, what: str) -> Sequence[str]:
        """An operator wants something of the master."""
        return self._parent.control_asks(what)

    def replaced(self, role: str) -> None:
        """A process has died, and another one is to take its place."""
        self._estate.count(catalogue.RESTARTS, role)

    def control_left(self) -> None:
        """One control process less."""
        self._forget_names()
        self._parent.process_left()

    def _forget_names(self) -> None:
        """Give back the columns of listeners and servers that no generation has; the last one's outlive it.

        Those that have sessions left are kept. A session on its way from one worker to another is counted by nobody.
        """
        if self.leaving.handover.goes_on:
            return
        used = tally.in_use(self._estate.board, self._estate.columns)
        kept = self._last_keys.union(self.steward.keys, used, *(each.keys for each in self.all))
        self._estate.forget_all_but(kept)

    # Beside another master

    def follow(self, elders: Elders) -> None:
        """Before the first generation begins: another master's processes are at work until it commits."""
        self._elders = elders
        self.spawner.tell_birth = elders.born
        self.steward.wait_for_room(elders.make_room)

    def elders_lost(self) -> None:
        """The other master was killed amid the handover, maybe before it had UDP clients steered to us."""
        if self.serving is not None:
            self._steering.udp(self.serving)

    def elders_quiet(self) -> None:
        """The other master's workers take nothing new any more."""
        if self.serving is not None:
            self._announce(self.serving)

    def elders_gone(self) -> None:
        """No process of the other master is left."""
        self._elders = None
        self.spawner.tell_birth = None
        self._forget_names()
