"""A handover: workers that leave are given links to the workers of the next generation, and UDP clients are steered.

    begin: links --> drain --> elders move their flows --> all have: UDP clients are steered to the heirs' sockets
                            --> steered: elders read their sockets empty --> quiet

With as many slots as before an elder has a link to the heir of its own slot, and no client is steered elsewhere; else
it has one to each. Sessions that are left move when they can, over the same links, for as long as the elder lives.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from l4d.child import channel
from l4d.master.generation import Child, Generation
from l4d.master.timers import Timers

PATIENCE = 15.0
"""So many seconds an elder that stands still is waited for. One that hangs is killed before (pulse.py).

Only the clients of the one that stands still have to wait with it: what the others hear they pass on.
"""


class Heirs(Protocol):
    """The workers that take over."""

    @property
    def slots(self) -> int: ...

    def tell(self, slot: int, word: bytes, *descriptors: int) -> None:
        """Say a word to the worker in *slot*."""
        ...


class Successors:
    """The workers of a generation of the same master."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    @property
    def slots(self) -> int:
        return len(self._generation.slots)

    def tell(self, slot: int, word: bytes, *descriptors: int) -> None:
        """One that has just died is told by its replacement's links."""
        child = self._generation.slots[slot].child
        if child is not None:
            channel.say(child.channel, word, *descriptors)


class Handover:
    """The last handover, of one master's workers."""

    def __init__(self, timers: Timers, on_over: Callable[[], None], on_lack: Callable[[OSError], None]) -> None:
        """*on_over* is called when the next one may begin; *on_lack* when two workers could not be given a link."""
        self._timers = timers
        self._on_over = on_over
        self._on_lack = on_lack
        self._elders: list[Child] = []
        self._awaited: set[tuple[Generation, int]] = set()  # slots of elders that are gone, and are to be replaced
        self._heirs: Heirs | None = None
        self._steer: Callable[[], None] | None = None  # what is still to be done
        self._patient = False
        self._turn = 0  # counts handovers

    @property
    def under_way(self) -> bool:
        """Whether another one has to wait."""
        return self._patient and (bool(self._awaited) or any(not elder.quiet for elder in self._elders))

    @property
    def goes_on(self) -> bool:
        """Whether an elder is left: sessions may be on their way."""
        return bool(self._elders)

    def begin(self, elders: Iterable[Child], heirs: Heirs, steer: Callable[[], None]) -> None:
        """Have the sessions of *elders*, who are told to drain next, go to *heirs*, who are told to begin next.

        *steer* is called when UDP clients are to be the heirs'.
        """
        self._elders = list(elders)
        self._awaited.clear()
        self._heirs = heirs
        self._steer = steer
        self._patient = bool(self._elders)
        self._turn += 1
        if not self._elders:
            self._do_steer()
            return
        turn = self._turn
        for elder in self._elders:
            for slot in self._slots_for(elder, heirs):
                self._link(elder, slot, heirs)
        self._timers.after(PATIENCE, lambda: self._go_on_without(turn))

    def relink(self, slot: int) -> None:
        """The heir in *slot* is a new process."""
        if self._heirs is not None:
            for elder in self._elders:
                if slot in self._slots_for(elder, self._heirs):
                    self._link(elder, slot, self._heirs)

    def moved(self, elder: Child) -> None:
        """*elder* has moved all its flows."""
        elder.moved = True
        self._look()

    def quiet(self, elder: Child) -> None:
        """*elder* takes nothing new any more, and reads no UDP socket."""
        elder.quiet = True
        self._look()

    def left(self, child: Child) -> bool:
        """*child* is gone. Whether its sockets need another elder, who reads what is queued there.

        So it is where UDP clients are steered to other slots: they are not those of the heir that has the socket.
        """
        if child not in self._elders:
            return False
        self._elders.remove(child)
        if not self._steers_elsewhere(child):
            self._look()
            return False
        self._awaited.add((child.generation, child.slot))
        return True

    def stop(self) -> None:
        """Everything ends: nobody is waited for, and none is replaced."""
        self._steer = None
        self._elders.clear()
        self._awaited.clear()

    def join(self, child: Child) -> None:
        """*child*, of a generation that leaves, is ready: it may be in the place of an elder that is gone.

        If not, it was an elder before it was ready, and has been told all.
        """
        place = child.generation, child.slot
        if self._heirs is None or place not in self._awaited:
            return
        self._awaited.remove(place)
        self._elders.append(child)
        for slot in self._slots_for(child, self._heirs):
            self._link(child, slot, self._heirs)
        channel.say(child.channel, channel.BEGIN)
        channel.say(child.channel, channel.DRAIN)

    def _steers_elsewhere(self, elder: Child) -> bool:
        """Whether what is queued in its UDP sockets, if it has any, may be for other slots."""
        if not self._patient or self._heirs is None or elder.quiet:
            return False
        return not _same_slots(elder, self._heirs)

    def _slots_for(self, elder: Child, heirs: Heirs) -> Iterable[int]:
        """The slots to which it has something to give."""
        return (elder.slot,) if _same_slots(elder, heirs) else range(heirs.slots)

    def _link(self, elder: Child, slot: int, heirs: Heirs) -> None:
        """One end of a link to each side. Without one, what *elder* has stays with it."""
        try:
            theirs, ours = channel.link_pair()
        except OSError as error:
            self._on_lack(error)
            return
        with theirs, ours:
            heirs.tell(slot, channel.TAKE_OVER, theirs.fileno())
            channel.say(elder.channel, channel.hand_over(slot, heirs.slots), ours.fileno())

    def _look(self) -> None:
        """Steer when the last flow has moved; where nobody is steered elsewhere, each elder goes by itself."""
        if self._heirs is None:
            return
        if self._steer is not None and not self._awaited and all(one.moved or one.quiet for one in self._elders):
            self._do_steer()
        for elder in self._elders:
            if elder.moved and not elder.steered and (self._steer is None or _same_slots(elder, self._heirs)):
                elder.steered = True
                channel.say(elder.channel, channel.STEERED)
        if self._patient and not self.under_way:
            self._end()

    def _do_steer(self) -> None:
        steer, self._steer = self._steer, None
        if steer is not None:
            steer()

    def _go_on_without(self, turn: int) -> None:
        """Some elder may stand still: nobody waits for it any more."""
        if turn != self._turn:
            return
        if self._steer is not None:
            self._do_steer()
            for elder in self._elders:
                elder.moved = True
            self._look()
        self._end()

    def _end(self) -> None:
        """Another one may begin."""
        if self._patient:
            self._patient = False
            self._on_over()


def _same_slots(elder: Child, heirs: Heirs) -> bool:
    """Whether there are as many as before, so that its clients come to the same sockets."""
    return len(elder.generation.slots) == heirs.slots
