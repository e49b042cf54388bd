"""The forms of an access log's line: text, JSON, a template. One call writes one session, in a few microseconds.

What is the same for all sessions of a listener is written once, when the form is made; what is the same for all of one
server is remembered; of the time only the milliseconds are new with each session.

*now* is the monotonic time of the end, in seconds, and *wall* the seconds since 1970 at that moment.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from l4d.config.model import Listener, Upstream
from l4d.config.template import pieces
from l4d.log.escape import escaped, in_json
from l4d.session.facts import address_text
from l4d.session.ids import id_text
from l4d.session.session import Session
from l4d.terms import End
from l4d.upstream.server import Server

MOST_REMEMBERED: Final = 4096
"""Servers, by the port the client came to, or seconds."""

NOTHING: Final = "-"
"""In a line of text, what stands for what there is not."""


class Form(Protocol):
    """A line for each session."""

    def line(self, session: Session, end: End, now: float, wall: float) -> str:
        """The line, with its newline."""
        ...


def make_form(form: str, listener: Listener, upstream: Upstream, worker: int, generation: int) -> Form:
    """The form that `log.format` names, for sessions of *listener* in this *worker*."""
    if form == "json":
        return JsonForm(listener, upstream, worker, generation)
    if form == "text":
        return TextForm(listener)
    return TemplateForm(form, listener, upstream, worker, generation)


class TextForm:
    """For people, and for grep."""

    __slots__ = ("_head", "_servers", "_times")

    def __init__(self, listener: Listener) -> None:
        self._head = f"{listener.name} {listener.protocol.value} "
        self._servers = Servers(_server_in_text)
        self._times = Times()

    def line(self, session: Session, end: End, now: float, wall: float) -> str:
        return f"{self._times.text(wall - now + session.started)} {self.words(session, end, now)}\n"

    def words(self, session: Session, end: End, now: float) -> str:
        """The line without its time, as the error log has it at the level of debug."""
        server = session.dialled
        where = NOTHING if server is None else self._servers.text(server, session.port)
        return (
            f"{self._head}{_address(session.client)} -> {where} "
            f"up={session.bytes_up} down={session.bytes_down} "
            f"connect={_connect(session)} total={_duration(session, now)} "
            f"tries={session.tries} end={_ENDS[end]}"
        )


_ENDS: Final = {end: f"{end.value} {end.words}" for end in End}


def _server_in_text(server: Server, port: int) -> str:
    return f"{escaped(server.label)} {escaped(str(server.address_for(port)))}"


class JsonForm:
    """For programs: an object a line."""

    __slots__ = ("_after_local", "_after_time", "_local", "_local_text", "_no_server", "_servers", "_tail", "_times")

    def __init__(self, listener: Listener, upstream: Upstream, worker: int, generation: int) -> None:
        self._after_time = (
            f'","listener":{in_json(listener.name)},"protocol":{in_json(listener.protocol.value)},"client":'
        )
        self._after_local = f',"upstream":{in_json(upstream.name)},"server":'
        self._no_server = 'null,"server_name":null'
        self._local: object = None  # the last one, as most come to one address; and what is written of it
        self._local_text = ""
        self._tail = f'","sni":null,"proxied_by":null,"worker":{worker},"generation":{generation},"id":"'
        self._servers = Servers(_server_in_json)
        self._times = Times()

    def line(self, session: Session, end: End, now: float, wall: float) -> str:
        server, started = session.dialled, session.started
        where = self._no_server if server is None else self._servers.text(server, session.port)
        connect = _milliseconds(session.connected - started) if session.connected else "null"
        if session.local is not self._local:
            self._local = session.local
            self._local_text = in_json(address_text(session.local))
        return (
            f'{{"time":"{self._times.text(wall - now + started)}{self._after_time}'
            f'{in_json(address_text(session.client))},"local":{self._local_text}'
            f'{self._after_local}{where},"bytes_up":{session.bytes_up},"bytes_down":{session.bytes_down},'
            f'"datagrams_up":{session.datagrams_up},"datagrams_down":{session.datagrams_down},'
            f'"connect_ms":{connect},"duration_ms":{_milliseconds(now - started)},"tries":{session.tries},'
            f'{_ENDS_IN_JSON[end]}{self._tail}{id_text(session.id)}"}}\n'
        )


_ENDS_IN_JSON: Final = {end: f'"end":"{end.value}","end_text":"{end.words}' for end in End}


def _server_in_json(server: Server, port: int) -> str:
    return f'{in_json(str(server.address_for(port)))},"server_name":{in_json(server.name)}'


class TemplateForm:
    """As the operator wants it."""

    __slots__ = ("_end", "_pieces", "_times")

    def __init__(self, template: str, listener: Listener, upstream: Upstream, worker: int, generation: int) -> None:
        self._times = Times()
        values: dict[str, Value] = {**_VALUES, "time": self._time}
        fixed = {
            "listener": listener.name,
            "protocol": listener.protocol.value,
            "upstream": escaped(upstream.name),
            "worker": f"{worker}",
            "generation": f"{generation}",
            "sni": NOTHING,
            "proxied_by": NOTHING,
        }
        self._pieces: list[tuple[str, Value]] = []
        before = ""
        for text, name in pieces(template):
            before += text
            if name in values:
                self._pieces.append((before, values[name]))
                before = ""
            elif name:
                before += fixed[name]
        self._end = f"{before}\n"

    def line(self, session: Session, end: End, now: float, wall: float) -> str:
        parts: list[str] = []
        for before, value in self._pieces:
            parts.append(before)
            parts.append(value(session, end, now, wall))
        parts.append(self._end)
        return "".join(parts)

    def _time(self, session: Session, _end: End, now: float, wall: float) -> str:
        return self._times.text(wall - now + session.started)


Value: TypeAlias = Callable[[Session, End, float, float], str]


def _address(sockaddr: object) -> str:
    """An IP address is plain, unless an interface is named with it."""
    text = address_text(sockaddr)
    return text if isinstance(sockaddr, tuple) and "%" not in text else escaped(text)


def _server(session: Session) -> str:
    server = session.dialled
    return NOTHING if server is None else escaped(str(server.address_for(session.port)))


def _server_name(session: Session) -> str:
    server = session.dialled
    return NOTHING if server is None else escaped(server.name)


def _connect_ms(session: Session) -> str:
    return _milliseconds(session.connected - session.started) if session.connected else NOTHING


def _milliseconds(seconds: float) -> str:
    return format(seconds * 1000, ".3f")  # compiled, a format in an f-string takes its time


def _connect(session: Session) -> str:
    return f"{round((session.connected - session.started) * 1000)}ms" if session.connected else NOTHING


def _duration(session: Session, now: float) -> str:
    return f"{round((now - session.started) * 1000)}ms"


_VALUES: Final[dict[str, Value]] = {
    "client": lambda session, _end, _now, _wall: _address(session.client),
    "local": lambda session, _end, _now, _wall: _address(session.local),
    "server": lambda session, _end, _now, _wall: _server(session),
    "server_name": lambda session, _end, _now, _wall: _server_name(session),
    "bytes_up": lambda session, _end, _now, _wall: f"{session.bytes_up}",
    "bytes_down": lambda session, _end, _now, _wall: f"{session.bytes_down}",
    "datagrams_up": lambda session, _end, _now, _wall: f"{session.datagrams_up}",
    "datagrams_down": lambda session, _end, _now, _wall: f"{session.datagrams_down}",
    "connect_ms": lambda session, _end, _now, _wall: _connect_ms(session),
    "duration_ms": lambda session, _end, now, _wall: _milliseconds(now - session.started),
    "duration": lambda session, _end, now, _wall: _duration(session, now),
    "tries": lambda session, _end, _now, _wall: f"{session.tries}",
    "end": lambda _session, end, _now, _wall: end.value,
    "end_text": lambda _session, end, _now, _wall: end.words,
    "id": lambda session, _end, _now, _wall: id_text(session.id),
}
"""What differs from session to session, but for the time."""


class Servers:
    """What is written of a server, remembered."""

    __slots__ = ("_texts", "_write")

    def __init__(self, write: Callable[[Server, int], str]) -> None:
        """*write* gives it for a client that came to a port."""
        self._write = write
        self._texts: dict[tuple[Server, int], str] = {}

    def text(self, server: Server, port: int) -> str:
        text = self._texts.get((server, port))
        if text is None:
            if len(self._texts) >= MOST_REMEMBERED:
                self._texts.clear()
            text = self._texts[server, port] = self._write(server, port)
        return text


_MILLISECONDS: Final = tuple(f"{millisecond:03}Z" for millisecond in range(1000))


class Times:
    """Moments in UTC with milliseconds (RFC 3339); each second is written once."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def text(self, wall: float) -> str:
        """*wall* is seconds since 1970."""
        second, millisecond = divmod(round(wall * 1_000_000) // 1000, 1000)
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) >= MOST_REMEMBERED:
                self._seconds.clear()
            text = self._seconds[second] = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return text + _MILLISECONDS[millisecond]
