"""One question to all nameservers: which of them is asked when, and what their answer says.

Nameservers are asked in their order, and all of them twice within the timeout, which the tries share equally:

    0 s            0.5 s          1 s            1.5 s          2 s
    ask the first  ask the other  ask the first  ask the other  failed

A try is not given up when the next begins, so that a slow answer still counts. When one fails the next begins at once,
and that nameserver is not asked again.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
from dns.rdata import Rdata
from dns.rdatatype import RdataType

from l4d.address import Inet
from l4d.names.exchange import NoAnswerError, ask
from l4d.names.resolv_conf import Advisor

_ROUNDS = 2
_MOST_QUESTIONS = 64
"""At a time, in this process: each try has a descriptor."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is known of a name and a type: records; none, for there is no such name or no such record; or why not."""

    records: tuple[Rdata, ...] = ()
    ttl: float = math.inf  # seconds, the least of the chain of CNAMEs and the records
    failure: str = ""  # short and printable; "" when it was answered

    @property
    def empty(self) -> bool:
        """Whether it is certain that there is nothing."""
        return not self.records and not self.failure


class Lookup:
    """Asks the nameservers there are at the moment."""

    def __init__(self, advisor: Advisor, timeout: float, on_query: Callable[[str], None]) -> None:
        """*timeout*, in seconds, is for one question; *on_query* hears the result of each (catalogue.QUERY_RESULTS)."""
        self._advisor = advisor
        self._timeout = timeout
        self._on_query = on_query
        self._room = asyncio.Semaphore(_MOST_QUESTIONS)

    async def ask(self, name: str, *types: RdataType) -> tuple[Reply, ...]:
        """A reply for each of *types*, all asked at the same time; the same name of the search list for all of them.

        The next name of the search list is tried when it is certain that this one has nothing of any type. After a
        failure it is not: what the next name has could be somebody else.
        """
        advice = self._advisor.advice()
        if not advice.nameservers:
            return tuple(Reply(failure=self._advisor.trouble) for _ in types)
        replies: tuple[Reply, ...] = ()
        for candidate in advice.candidates(name):
            replies = tuple(await asyncio.gather(*(self._one(candidate, kind, advice.nameservers) for kind in types)))
            if not all(reply.empty for reply in replies):
                break
        return replies

    async def _one(self, name: str, kind: RdataType, nameservers: Sequence[Inet]) -> Reply:
        try:
            query = dns.message.make_query(name, kind)
        except dns.exception.DNSException:  # completed by the search list, it may be too long for a name
            return Reply()
        async with self._room:
            reply = await self._reply(query, nameservers)
        self._on_query("failed" if reply.failure else "answered" if reply.records else "empty")
        return reply

    async def _reply(self, query: dns.message.Message, nameservers: Sequence[Inet]) -> Reply:
        try:
            return said_by(await _Race(query, nameservers, self._timeout).run())
        except NoAnswerError as error:
            return Reply(failure=str(error))


class _Race:
    """The nameservers being asked one question, until the first answers."""

    def __init__(self, query: dns.message.Message, nameservers: Sequence[Inet], timeout: float) -> None:
        self._query = query
        self._nameservers = nameservers
        self._timeout = timeout
        self._failures: dict[Inet, str] = {}
        self._asked: dict[asyncio.Task[dns.message.QueryMessage], Inet] = {}

    async def run(self) -> dns.message.QueryMessage:
        """The first answer. Raises NoAnswerError with what every nameserver did."""
        try:
            response = await self._run()
        finally:
            for task in self._asked:
                task.cancel()
            await asyncio.gather(*self._asked, return_exceptions=True)
        if response is None:
            raise NoAnswerError("; ".join(f"{each}: {self._failure(each)}" for each in self._nameservers))
        return response

    async def _run(self) -> dns.message.QueryMessage | None:
        ends_at = asyncio.get_running_loop().time() + self._timeout
        tries = [*self._nameservers] * _ROUNDS
        response = None
        for nameserver in tries:
            if nameserver not in self._failures and response is None:
                self._asked[asyncio.create_task(ask(nameserver, self._query))] = nameserver
                response = await self._wait(self._timeout / len(tries))
        while self._asked and response is None and (left := ends_at - asyncio.get_running_loop().time()) > 0:
            response = await self._wait(left)
        return response

    async def _wait(self, seconds: float) -> dns.message.QueryMessage | None:
        """An answer, or None when one of those asked has failed, or after *seconds*."""
        done, _pending = await asyncio.wait(self._asked, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        response = None
        for task in done:
            nameserver = self._asked.pop(task)
            try:
                response = task.result()
            except NoAnswerError as error:
                self._failures[nameserver] = str(error)
        return response

    def _failure(self, nameserver: Inet) -> str:
        return self._failures.get(nameserver, f"no answer within {self._timeout:g} s")


def said_by(response: dns.message.QueryMessage) -> Reply:
    """What an answer says. Raises NoAnswerError when it contradicts itself."""
    try:
        chain = response.resolve_chaining()
    except dns.exception.DNSException:  # a CNAME that leads back to itself, an answer that says there is none
        raise NoAnswerError("an answer that makes no sense") from None
    # How long there will be nothing is not of interest: a name is asked for again when what it does have runs out.
    return Reply(tuple(chain.answer), chain.minimum_ttl) if chain.answer else Reply()
