"""The check of type http: a server whose answer has a status, and a body, that is well."""

import asyncio
import re
import ssl
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from l4d.address import Unix
from l4d.config.model import Check
from l4d.health.connection import LONGEST_ANSWER, connect
from l4d.health.probe import Answer, Target
from l4d.health.trust import Trust, said
from l4d.health.words import one_line, quoted

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.tracing import Trace

_NEVER = aiohttp.ClientTimeout(total=None, sock_connect=None)


class HttpProbe:
    """One request, on a connection of its own. No redirect is followed, no proxy asked, no cookie kept."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._trust = Trust(check) if check.tls else None
        self._body = re.compile(check.body.encode(), re.DOTALL) if check.body else None

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        connector = _Connector(target, self._trust)
        try:
            async with aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=_NEVER, auto_decompress=False
            ) as session:
                return await self._exchange(session, target)
        except aiohttp.ServerDisconnectedError as error:
            raise EOFError("closed before it had answered") from error
        except aiohttp.ClientOSError:
            raise  # the system's own words
        except aiohttp.ClientResponseError as error:
            raise ValueError(one_line(f"not HTTP: {error.message}")) from error
        except aiohttp.ClientError as error:
            raise ValueError(one_line(f"{type(error).__name__}: {error}")) from error
        finally:
            connector.abort()

    async def _exchange(self, session: aiohttp.ClientSession, target: Target) -> Answer:
        check = self._check
        host = check.host or _host(target)
        headers = {"Host": host, "User-Agent": "l4d", "Accept": "*/*", "Accept-Encoding": "identity"}
        url = URL(f"http://server{check.path}", encoded=True)
        async with session.request(check.method, url, headers=headers, allow_redirects=False) as response:
            if not any(lowest <= response.status <= highest for lowest, highest in check.status):
                return Answer(well=False, why=f"status {response.status}")
            if self._body is not None:
                body = await _beginning(response)
                if self._body.search(body) is None:
                    return Answer(well=False, why=f"the body is another: {quoted(body)}")
            return Answer(well=True, why=f"status {response.status}")


def _host(target: Target) -> str:
    """The Host header (RFC 9110, 7.2) for a server, by its name if it has one."""
    if isinstance(target.address, Unix):
        return "localhost"
    return f"{target.host}:{target.address.port}" if target.host else str(target.address)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The first 64 KiB of the body, or all of it."""
    body = b""
    while len(body) < LONGEST_ANSWER:
        chunk = await response.content.read(LONGEST_ANSWER - len(body))
        if not chunk:
            break
        body += chunk
    return body


class _Connector(aiohttp.BaseConnector):
    """Makes the one connection of one request, whatever host its URL names.

    aiohttp's own connectors cannot speak TLS over a unix socket, nor, in the versions of Debian 12, ask for another
    name than the URL's; and they leave a TLS connection open until the server has said farewell.
    """

    def __init__(self, target: Target, trust: Trust | None) -> None:
        super().__init__(force_close=True)
        self._target = target
        self._trust = trust
        self._transport: asyncio.Transport | None = None

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,  # noqa: ARG002
        traces: "list[Trace]",  # noqa: ARG002
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002
    ) -> "ResponseHandler":
        """What each connector of aiohttp overrides. Raises OSError, and ValueError for what OpenSSL says."""
        context = self._trust.context() if self._trust else None
        name = (self._trust.name(self._target) or "") if self._trust else None
        sock = await connect(self._target.address)
        loop = asyncio.get_running_loop()
        try:
            self._transport, protocol = await loop.create_connection(
                self._factory, sock=sock, ssl=context, server_hostname=name
            )
        except ssl.SSLError as error:
            raise ValueError(said(error)) from error
        return protocol

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
