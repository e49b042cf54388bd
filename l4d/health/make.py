"""Which probe belongs to which type of check.

Each is imported when a check wants it: aiohttp, dnspython and the clients of the databases are large.
"""

from collections.abc import Callable

from l4d.config.model import Check
from l4d.health.probe import Probe
from l4d.terms import CheckType


def make_probe(check: Check, secret: str | None = None) -> Probe:
    """The probe for *check*, which is not of type off. *secret* is its password, as secret.read_secret gives it."""
    return _MAKERS[check.type](check, secret)


def _tcp(_check: Check, _secret: str | None) -> Probe:
    from l4d.health.tcp import TcpProbe

    return TcpProbe()


def _tls(check: Check, _secret: str | None) -> Probe:
    from l4d.health.tls import TlsProbe

    return TlsProbe(check)


def _http(check: Check, _secret: str | None) -> Probe:
    from l4d.health.http import HttpProbe

    return HttpProbe(check)


def _send_expect(check: Check, _secret: str | None) -> Probe:
    from l4d.health.send_expect import SendExpectProbe

    return SendExpectProbe(check)


def _udp(check: Check, _secret: str | None) -> Probe:
    from l4d.health.udp import UdpProbe

    return UdpProbe(check)


def _dns(check: Check, _secret: str | None) -> Probe:
    from l4d.health.dns import DnsProbe

    return DnsProbe(check)


def _postgres(check: Check, secret: str | None) -> Probe:
    from l4d.health.postgres import PostgresGreeting, PostgresProbe

    if not check.user:
        return PostgresGreeting()
    import l4d.health.asyncpg_held  # noqa: F401 - the library is read here: later this process may not be allowed to

    return PostgresProbe(check, secret)


def _mysql(check: Check, secret: str | None) -> Probe:
    from l4d.health.mysql import MysqlGreeting, MysqlProbe

    if not check.user:
        return MysqlGreeting()
    import aiomysql  # noqa: F401 - as above

    return MysqlProbe(check, secret)


def _redis(check: Check, secret: str | None) -> Probe:
    from l4d.health.redis import RedisProbe

    return RedisProbe(check, secret)


def _exec(check: Check, _secret: str | None) -> Probe:
    from l4d.health.exec import ExecProbe

    return ExecProbe(check)


def _agent(check: Check, _secret: str | None) -> Probe:
    from l4d.health.agent import AgentProbe

    return AgentProbe(check)


_MAKERS: dict[CheckType, Callable[[Check, str | None], Probe]] = {
    CheckType.TCP: _tcp,
    CheckType.TLS: _tls,
    CheckType.HTTP: _http,
    CheckType.SEND_EXPECT: _send_expect,
    CheckType.UDP: _udp,
    CheckType.DNS: _dns,
    CheckType.POSTGRES: _postgres,
    CheckType.MYSQL: _mysql,
    CheckType.REDIS: _redis,
    CheckType.EXEC: _exec,
    CheckType.AGENT: _agent,
}
