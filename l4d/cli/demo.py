"""`l4d demo`: the main job with nothing prepared. Servers, a proxy in front of them, and proof that it works.

    servers up -> proxy ready -> shown -> asked -> stay, and tell what happens, until Ctrl-C

Signals are noted, never handled on the spot, and everything begun is ended by its `with` block; so that whenever the
end comes, no process and no file stays behind.
"""

import select
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from l4d.cli import demo_page as page
from l4d.cli.demo_clients import ask
from l4d.cli.demo_proxy import DemoProxy, admin_socket, configuration, started_proxy
from l4d.cli.demo_servers import DemoServer, DemoServers, started_servers
from l4d.cli.output import say
from l4d.errors import StartError
from l4d.linux.signals import Signals
from l4d.terms import Protocol

_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_READY_WITHIN = 20.0
_LAST_WORDS = 10  # lines of its log shown when the proxy has ended by itself


def demo(*, once: bool) -> int:
    """Play the demo: the exit status. Raises StartError when the proxy does not come up or does not stay."""
    try:
        return _play(once=once)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StartError(f"the demo cannot be shown here: {error}") from None


def _play(*, once: bool) -> int:
    with ExitStack() as stage:
        signals = Signals(heeded=_END)
        stage.callback(signals.close)
        folder = stage.enter_context(tempfile.TemporaryDirectory(prefix="l4d-demo-"))
        servers = stage.enter_context(started_servers())
        config = Path(folder, "l4d.toml")
        socket_path = admin_socket(folder)
        config.write_text(configuration(servers.all, socket_path), encoding="utf-8")
        proxy = stage.enter_context(started_proxy(config))
        _wait_ready(proxy, signals)
        say(page.cast(proxy, servers.all) + page.script(config))
        asked = {protocol: ask(protocol, proxy.addresses[protocol]) for protocol in Protocol}
        say(page.answers(asked))
        if not once:
            say(page.invitation(proxy, servers.all, socket_path))
            _stay(proxy, servers, signals)
    say(page.farewell())
    return 0 if all(each.complete for each in asked.values()) or not once else 1


def _wait_ready(proxy: DemoProxy, signals: Signals) -> None:
    """Until every worker of the proxy accepts. Raises KeyboardInterrupt when told to end before that."""
    deadline = time.monotonic() + _READY_WITHIN
    said: list[str] = []
    while not proxy.ready:
        came = _wait([proxy.log_fd, signals.fd], deadline - time.monotonic())
        if signals.fd in came:
            raise KeyboardInterrupt
        if not came:
            raise StartError(f"the proxy of the demo was not ready within {_READY_WITHIN:g} s; it said:", *said)
        said += proxy.read_log()
        _stop_if_over(proxy, said)


def _stay(proxy: DemoProxy, servers: DemoServers, signals: Signals) -> None:
    """Show what the proxy logs and which servers end, until told to end."""
    said: list[str] = []
    while True:
        living = {server.pidfd: server for server in servers.all}
        came = _wait([proxy.log_fd, signals.fd, *living], None)
        for pidfd in living.keys() & came:
            _bury(servers, living[pidfd])
        if proxy.log_fd in came:
            said = [*said, *(lines := proxy.read_log())][-_LAST_WORDS:]
            say(page.log(lines))
            _stop_if_over(proxy, said)
        if signals.fd in came:
            return


def _bury(servers: DemoServers, server: DemoServer) -> None:
    servers.bury(server)
    say(page.loss(server, len(servers.of(server.protocol))))


def _stop_if_over(proxy: DemoProxy, said: list[str]) -> None:
    """Raise StartError with its last words if the proxy has ended by itself."""
    if proxy.over:
        raise StartError(f"the proxy of the demo ended with status {proxy.wait()}; it said:", *said)


def _wait(fds: list[int], seconds: float | None) -> set[int]:
    """Those of *fds* that have something to read; none after *seconds*."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll(None if seconds is None else max(0.0, seconds * 1000))}
