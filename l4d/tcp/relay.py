"""The relay: a client and a server socket, and a channel for each direction.

The two sides are served by the same lines: *inbound* is the channel from the side that has an event, *outbound*
the one to it. What each side's socket is watched for follows from the channels alone (interest.py).

When a side fails, nothing more can be delivered to it, but what it sent before is still read to its end and delivered;
then the other side is reset too (farewell.py). A FIN is passed on as a FIN when all before it was delivered.
"""

import contextlib
import errno
import socket
from collections.abc import Callable

from l4d.handover.parcel import Parcel
from l4d.handover.record import Kind
from l4d.linux.options import reset_on_close
from l4d.linux.sockets import Socket
from l4d.loop.deadlines import Deadlines
from l4d.loop.loop import ERR, GONE, IN, OUT, RDHUP
from l4d.session import dialling
from l4d.session.session import Session
from l4d.session.transfer import record_of, told
from l4d.tcp.channel import Channel
from l4d.tcp.farewell import Farewell
from l4d.tcp.interest import READ, wanted
from l4d.tcp.service import Relaying, TcpService
from l4d.terms import End
from l4d.upstream.server import Server

Redial = Callable[[Socket], None]
"""Dials another server for the client of a session whose server closed too early."""


class Relay:
    """Two sockets, two channels; neither can be missing."""

    __slots__ = (
        "_client",
        "_client_mask",
        "_down",
        "_early",
        "_failure",
        "_fins",
        "_redial",
        "_server",
        "_server_mask",
        "_session",
        "_tcp",
        "_touch_at",
        "_up",
    )

    def __init__(
        self,
        tcp: TcpService,
        session: Session,
        client: Socket,
        server: Socket,
        member: Server,
        redial: Redial,
    ) -> None:
        policy, tally, row = tcp.service.listener.relay, tcp.service.tally, tcp.service.tally.row
        self._tcp = tcp
        self._session = session
        self._client = client
        self._server = server
        up = tally.bytes_up, member.tally.bytes_up
        down = tally.bytes_down, member.tally.bytes_down
        self._up = Channel(client, server, tcp.machinery, policy, row, up)
        self._down = Channel(server, client, tcp.machinery, policy, row, down)
        self._touch_at = 0.0
        self._client_mask = READ
        self._server_mask = READ
        self._fins = 0  # how many channels have passed their FIN on
        self._failure: End | None = None
        self._early = tcp.service.upstream.early_close > 0  # whether an early close is still looked for
        self._redial = redial

    def start(self) -> None:
        """Watch both sides from now on, however the dial has left them."""
        tcp = self._tcp
        loop = tcp.service.loop
        tcp.idle.enter(self, loop.now)
        self._touch_at = loop.now + tcp.grain
        tcp.lifetime.begin(self)
        if self._early:
            tcp.early.enter(self, loop.now)
        # The server first: if it has closed already, that is told before the client's bytes are read and lost with it.
        loop.want(self._server.fileno(), READ, self.on_server)
        loop.want(self._client.fileno(), READ, self.on_client)

    def hand_over(self) -> Parcel:
        """Its facts and the bytes on their way, for another worker to go on with. It is of no use here any more."""
        tcp, session = self._tcp, self._session
        record = record_of(session, Kind.RELAY)
        record.families = [self._client.family, self._server.family]
        record.heard = self._silence().since(self)
        record.step = tcp.lifetime.step_of(self)
        record.early = self._early
        record.tried = told(session.tried) if self._early else []
        record.end = self._failure.value if self._failure else ""
        record.up, up = self._up.hand_over()
        record.down, down = self._down.hand_over()
        tcp.forget_time(self)
        tcp.early.leave(self)
        for sock in (self._client, self._server):
            tcp.service.loop.forget(sock.fileno())
        session.move()
        return Parcel(record, [self._client, self._server], session.descriptors, up, down)

    def resume(self, parcel: Parcel) -> None:
        """Go on where another worker's relay has left off."""
        tcp, record, connected = self._tcp, parcel.record, self._session.connected
        self._up.resume(record.up, parcel.up)
        self._down.resume(record.down, parcel.down)
        self._fins = record.up.fin_passed + record.down.fin_passed
        self._failure = End(record.end) if record.end else None
        self._early = record.early and self._early
        self._silence().resume(self, record.heard)
        tcp.lifetime.resume(self, record.step, connected)
        if self._early:
            tcp.early.resume(self, connected)
        self._client_mask = self._server_mask = 0
        self._want()

    def _silence(self) -> Deadlines[Relaying]:
        """The queue in which it waits for the next byte."""
        return self._tcp.half_close if self._fins or self._failure else self._tcp.idle

    def on_client(self, mask: int) -> None:
        if mask == IN and self._up.pass_on():
            if self._tcp.service.loop.now >= self._touch_at:
                self._touch()
        else:
            self._serve(self._up, self._down, mask)

    def on_server(self, mask: int) -> None:
        if mask == IN and self._down.pass_on():
            if self._tcp.service.loop.now >= self._touch_at:
                self._touch()
        else:
            self._serve(self._down, self._up, mask)

    def _serve(self, inbound: Channel, outbound: Channel, mask: int) -> None:
        """After an event that was not ordinary."""
        loop = self._tcp.service.loop
        if loop.now >= self._touch_at:
            self._touch()
        if mask == IN:
            inbound.go_on()
            if inbound.flowing:
                if inbound.bulk:
                    loop.linger()
                return
        else:
            self._serve_both(inbound, outbound, mask)
        self._settle()

    def _serve_both(self, inbound: Channel, outbound: Channel, mask: int) -> None:
        """An event of more than input: room for output, an end, or a failure."""
        reset = (inbound.ended or inbound.blocked) and mask & ERR
        inbound.hung_up = inbound.hung_up or mask & GONE > 0
        if mask & OUT:
            outbound.pump()
        if mask & ~OUT:
            inbound.pump(to_end=mask & RDHUP > 0)
        if reset and outbound.target_error is None:  # nothing is read or written that would tell
            outbound.give_up(ConnectionResetError(errno.ECONNRESET, "reset"))

    def _touch(self) -> None:
        """Bytes have passed: the deadline begins anew, at most once in a grain."""
        tcp = self._tcp
        now = tcp.service.loop.now
        self._touch_at = now + tcp.grain
        self._silence().enter(self, now)

    def _settle(self) -> None:
        """After an event that was not plain: failures, ends, then what is wanted of each side now."""
        up, down = self._up, self._down
        if self._early and self._closed_early():
            return
        if self._failure is None:
            self._look_for_failure()
        if self._failure is None and not (up.closed and down.closed):
            self._pass_fin(up, down)
            self._pass_fin(down, up)
        if up.closed and down.closed:
            self._finish()
        else:
            self._want()

    # Failures

    def _look_for_failure(self) -> None:
        up, down = self._up, self._down
        client_error = up.source_error or down.target_error
        server_error = down.source_error or up.target_error
        if client_error is not None:
            self._fail(End.CLIENT_RESET, End.CLIENT_RESET_LAST, down, client_error)
        elif server_error is not None:
            self._fail(End.SERVER_RESET, End.SERVER_RESET_LAST, up, server_error)

    def _fail(self, data: End, last: End, towards: Channel, error: OSError) -> None:
        """A side is gone: the channel *towards* it is over, the one from it goes on to its end."""
        self._failure = last if self._fins else data
        self._tcp.idle.leave(self)
        self._tcp.half_close.enter(self, self._tcp.service.loop.now)
        if towards.target_error is None:
            towards.give_up(error)

    def _closed_early(self) -> bool:
        """Whether the server closed so soon, without a byte, that another one is dialled."""
        up, down, session, service = self._up, self._down, self._session, self._tcp.service
        if not down.ended:
            return False
        self._early = False
        self._tcp.early.leave(self)
        late = service.loop.now - session.connected >= service.upstream.early_close
        if late or down.moved or down.blocked or up.source_error or down.target_error:
            self._tell_of_server()
            return False
        assert session.server is not None
        dialling.blame(session, session.server, dialling.EARLY_CLOSE)
        if up.moved or up.blocked or up.ended or up.target_error:
            return False  # the server may have acted on what it got: no other one may get it too
        self._dial_again()
        return True

    def _tell_of_server(self) -> None:
        """It is known now whether it has closed early, and it has not; unless it said nothing and the client left."""
        session = self._session
        assert session.server is not None
        if self._down.moved or self._down.blocked:
            dialling.proven(session, session.server)
        else:
            session.server.given_up()

    # FINs

    def _pass_fin(self, channel: Channel, other: Channel) -> None:
        """Tell the target of a channel that has delivered all of it, once, that no more will come."""
        if not channel.closed or channel.fin_passed:
            return
        channel.fin_passed = True
        self._fins += 1
        if other.closed:
            return  # both are done: closing the sockets tells it
        tcp = self._tcp
        tcp.idle.leave(self)
        self._touch_at = 0.0
        tcp.half_close.enter(self, tcp.service.loop.now)
        with contextlib.suppress(OSError):  # it was reset meanwhile: reading from it will tell
            channel.target.shutdown(socket.SHUT_WR)
        if not tcp.service.listener.half_close:
            other.stop_reading()

    # Interest

    def _want(self) -> None:
        client, server = wanted(self._up, self._down), wanted(self._down, self._up)
        loop = self._tcp.service.loop
        if client != self._client_mask:
            self._client_mask = client
            loop.want(self._client.fileno(), client, self.on_client)
        if server != self._server_mask:
            self._server_mask = server
            loop.want(self._server.fileno(), server, self.on_server)

    # Deadlines

    def not_early(self) -> None:
        """early_close is over: whatever the server does now, it has taken the session."""
        self._early = False
        assert self._session.server is not None
        dialling.proven(self._session, self._session.server)

    def idle(self) -> None:
        """No byte either way for idle_timeout."""
        self._close(End.IDLE)

    def last_data_missing(self) -> None:
        """One side has finished, or failed, and the other was silent for half_close_timeout."""
        if self._failure is not None:
            self._close(self._failure)
            return
        self._close(End.SERVER_SILENT_LAST if self._up.closed else End.CLIENT_SILENT_LAST)

    def session_time_over(self) -> None:
        self._close(End.SESSION_TIME)

    def is_served_by(self, server: Server) -> bool:
        return self._session.server is server

    def server_lost(self, end: End) -> None:
        """Its server went down, or was removed, and on_down is "close"."""
        self._close(end)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def current(self) -> bool:
        return self in self._tcp.idle or self in self._tcp.half_close

    @property
    def phase(self) -> str:
        return self._session.phase.value

    @property
    def silent_since(self) -> float:
        return self._silence().since(self)

    @property
    def moved(self) -> tuple[int, int]:
        return self._up.moved, self._down.moved

    def kill(self) -> None:
        """An operator wants it ended: reset, so that nobody takes what has come for all there was."""
        reset_on_close(self._client)
        reset_on_close(self._server)
        self._close(End.KILLED)

    def stop(self) -> None:
        """The worker ends now."""
        self._close(End.STOPPED)

    def broke(self) -> None:
        """A bug of ours was met while this session was served: it is given up."""
        self._close(End.STOPPED)

    # Ends

    def _dial_again(self) -> None:
        """Leave the server for another one; nothing was passed on yet."""
        loop = self._tcp.service.loop
        self._let_go()
        loop.forget(self._client.fileno())
        loop.close(self._server, self._server.fileno())
        self._session.no_longer_served()
        self._redial(self._client)

    def _finish(self) -> None:
        """Both channels are over: by themselves, or because a side has failed."""
        if self._failure is None:
            cut = self._server if self._down.cut else self._client if self._up.cut else None
            if cut is None:
                self._close(End.FINISHED)
            else:  # closing a socket with unread input resets it, so what we sent must have arrived before
                self._say_farewell(cut, End.FINISHED, reset=False)
            return
        client_failed = self._failure in {End.CLIENT_RESET, End.CLIENT_RESET_LAST}
        self._say_farewell(self._server if client_failed else self._client, self._failure, reset=True)

    def _say_farewell(self, last: Socket, end: End, *, reset: bool) -> None:
        loop = self._tcp.service.loop
        first = self._client if last is self._server else self._server
        self._let_go()
        loop.forget(last.fileno())
        loop.close(first, first.fileno())
        Farewell(self._tcp, self._session, last, end, reset=reset).look()

    def _close(self, end: End) -> None:
        self._let_go()
        loop = self._tcp.service.loop
        loop.close(self._client, self._client.fileno())
        loop.close(self._server, self._server.fileno())
        self._session.over(end)

    def _let_go(self) -> None:
        """No deadline waits, no pipe is held, and the session knows what was moved."""
        self._tcp.forget_time(self)
        if self._early:
            self._tcp.early.leave(self)
            self._tell_of_server()
        self._up.leave()
        self._down.leave()
        self._session.bytes_up += self._up.moved
        self._session.bytes_down += self._down.moved
