"""What one name stands for: the addresses of a host, or those of all targets of an SRV record.

An answer is made of parts, one for each name and family that was asked. A part that fails is as it was when it was
last answered, so that a nameserver with trouble takes nothing away. A name that has nothing of either family, because
it does not exist or because its zone has lost it, is treated in the same way, with a trouble that says so: such answers
are far more often a mistake than the wish to have no server at all. But no IPv6 address beside an IPv4 address, or the
other way round, is an answer like any other, and takes away what was there before.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import TypeAlias

from dns.rdatatype import RdataType

from l4d.address import Inet, Named, Srv
from l4d.names.found import Found, distinct, of_host
from l4d.names.hosts import Hosts
from l4d.names.lookup import Lookup, Reply
from l4d.names.records import dialable, joined, targets_of, texts_of

FAMILIES = (RdataType.A, RdataType.AAAA)
NO_SUCH_NAME = "no such name"

_Part: TypeAlias = tuple[str, RdataType]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking once."""

    found: tuple[Found, ...] = ()  # empty: nothing new; what was found before still holds
    ttl: float = math.inf  # seconds
    failed: bool = False  # something could not be asked, so that there may be more than was found
    trouble: str = ""  # what did not go well, for the log; a failure is one, but not the only one


@dataclass(frozen=True, slots=True)
class _Addresses:
    """The same, of one host."""

    hosts: tuple[str, ...]
    old: bool = False  # there are none now; they are those of the last time
    ttl: float = math.inf
    failed: bool = False
    troubles: tuple[str, ...] = ()


class Meaning:
    """Asks what *name* means, and remembers the last answer of each part."""

    def __init__(self, name: Named, lookup: Lookup, hosts: Hosts | None) -> None:
        """*hosts* is looked at before any nameserver is asked."""
        self._name = name
        self._lookup = lookup
        self._hosts = hosts
        self._last: dict[_Part, tuple[str, ...]] = {}

    async def ask(self) -> Answer:
        """What the name means now. It never raises; what goes wrong is a trouble in the answer."""
        return await (self._service() if isinstance(self._name, Srv) else self._host())

    async def _host(self) -> Answer:
        of = await self._addresses(self._name.name)
        found = () if of.old else distinct(map(of_host, of.hosts))
        return Answer(found, of.ttl, of.failed, joined(of.troubles))

    async def _service(self) -> Answer:
        (reply,) = await self._lookup.ask(self._name.name, RdataType.SRV)
        targets, troubles = targets_of(reply.records)
        if not targets:
            trouble = reply.failure or joined(troubles) or NO_SUCH_NAME
            return Answer(failed=bool(reply.failure), trouble=trouble)
        names = list(dict.fromkeys(target.host for target in targets))
        answers = await asyncio.gather(*map(self._addresses, names))
        self._forget_all_but(names)
        of = dict(zip(names, answers, strict=True))
        found = distinct(
            Found(Inet(host, target.port), target.weight, target.backup)
            for target in targets
            for host in of[target.host].hosts
        )
        return Answer(
            found,
            min(reply.ttl, *(each.ttl for each in answers)),
            any(each.failed for each in answers),
            joined([*troubles, *(f"{name}: {text}" for name in names for text in of[name].troubles)]),
        )

    def _forget_all_but(self, names: list[str]) -> None:
        self._last = {part: hosts for part, hosts in self._last.items() if part[0] in names}

    async def _addresses(self, name: str) -> _Addresses:
        """Those in /etc/hosts, if there are any; else those the nameservers know."""
        hosts, troubles = dialable(self._hosts.addresses(name)) if self._hosts else ((), ())
        if hosts:
            return _Addresses(hosts, troubles=troubles)
        return self._merged(name, await self._lookup.ask(name, *FAMILIES))

    def _merged(self, name: str, replies: tuple[Reply, ...]) -> _Addresses:
        """The new answers, and the last ones where there is none."""
        troubles: list[str] = []
        now: dict[_Part, tuple[str, ...]] = {}
        for kind, reply in zip(FAMILIES, replies, strict=True):
            part = name, kind
            now[part], senseless = dialable(texts_of(reply.records))
            if reply.failure:
                now[part] = self._last.get(part, ())
            troubles += senseless
        troubles += _failures(replies)
        old = not any(now.values())
        if old:
            troubles = troubles or [NO_SUCH_NAME]
        else:
            self._last.update(now)
        hosts = tuple(host for part in now for host in self._last.get(part, ()))
        failed = any(reply.failure for reply in replies)
        return _Addresses(hosts, old, min(reply.ttl for reply in replies), failed, tuple(troubles))


def _failures(replies: tuple[Reply, ...]) -> list[str]:
    """Why there is no answer; of which family, unless it is the same with all."""
    failures = [reply.failure for reply in replies]
    if len(set(failures)) == 1:
        return [failure for failure in failures[:1] if failure]
    return [f"{kind.name}: {failure}" for kind, failure in zip(FAMILIES, failures, strict=True) if failure]
