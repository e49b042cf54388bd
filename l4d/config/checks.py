"""The keys of a check, `[upstreams.*.check]`. Each type has its own; what must hold among them is in rules.py."""

from l4d.config.kinds import Key, One, Section, Several, Table, Values, section
from l4d.config.model import Check
from l4d.config.patterns import (
    expression,
    expression_of_text,
    hexadecimal,
    hexadecimal_written,
    host_or_none,
    method,
    name_or_none,
    payload,
    query_or_none,
    query_type,
    request_path,
    statuses,
    statuses_written,
    variable_or_none,
)
from l4d.config.rules import broken
from l4d.config.values import (
    boolean,
    choice,
    choice_written,
    duration,
    duration_written,
    integer,
    path_or_none,
    text,
)
from l4d.terms import CheckType, Role

_TEXT = One(text)
_TIME = One(duration(), duration_written)
_HEX = One(hexadecimal, hexadecimal_written)
_TIMES = One(integer(1, 65535))
_TYPE = One(choice(CheckType), choice_written)
_ROLE = One(choice(Role), choice_written)
_STATUSES = Several(One(statuses, statuses_written))

HTTP, DNS, EXEC = (CheckType.HTTP,), (CheckType.DNS,), (CheckType.EXEC,)
TALK = (CheckType.SEND_EXPECT, CheckType.UDP)
TALK_OR_AGENT = (*TALK, CheckType.AGENT)
SECURE = (CheckType.TLS, CheckType.HTTP)
SQL = (CheckType.POSTGRES, CheckType.MYSQL)
LOGIN = (*SQL, CheckType.REDIS)

CHECK: Section = section(
    "[upstreams.*.check]",
    Key("type", _TYPE, None, ", ".join(str(one.value) for one in CheckType)),
    Key("interval", _TIME, "2s", "from one check of a server to its next, less up to 10 %"),
    Key("timeout", _TIME, "1s", "a check that has no result by then has failed"),
    Key("fall", _TIMES, 3, "so many failed checks in a row, and the server is down"),
    Key("rise", _TIMES, 2, "so many good checks in a row, and it is up again"),
    Key("port", One(integer(0, 65535)), 0, "where to ask; 0: the server's own port"),
    Key("send", One(payload), "", "what is sent", only=TALK_OR_AGENT),
    Key("send_hex", _HEX, "", 'the same in hexadecimal, as in "00 ff"', only=TALK),
    Key("expect", One(expression), "", "a regular expression that the answer must match somewhere", only=TALK),
    Key("expect_hex", _HEX, "", "or what the answer must begin with, in hexadecimal", only=TALK),
    Key("path", One(request_path), "/", "what is asked for", only=HTTP),
    Key("host", One(host_or_none), "", 'the Host header; "": the server\'s name, or its address', only=HTTP),
    Key("method", One(method), "GET", "GET, HEAD, ...", only=HTTP),
    Key("status", _STATUSES, ["200-399"], "the statuses that are well", only=HTTP),
    Key("body", One(expression), "", 'a regular expression that the body must match; "": any body', only=HTTP),
    Key("tls", One(boolean), False, "ask over TLS", only=HTTP),
    Key("verify", One(boolean), True, "whether the certificate must be valid", only=SECURE),
    Key(
        "server_name",
        One(name_or_none),
        "",
        'sent as SNI, and verified; "": the server\'s name, or its address',
        only=SECURE,
    ),
    Key("ca_file", One(path_or_none), "", 'the authorities that are trusted; "": the system\'s', only=SECURE),
    Key("query", One(query_or_none), "", "the name that is asked for", only=DNS),
    Key("query_type", One(query_type), "A", "the type of record: A, AAAA, NS, SOA, MX, TXT, SRV, ...", only=DNS),
    Key("answer", One(expression_of_text), "", 'a regular expression a record must match; "": any record', only=DNS),
    Key("role", _ROLE, "", 'primary, replica: only such a server is up; "": any', only=LOGIN),
    Key("user", _TEXT, "", 'who logs in; "": nobody, or with a password the default user of redis', only=LOGIN),
    Key("password_file", One(path_or_none), "", "a file that has the password on its first line", only=LOGIN),
    Key("password_env", One(variable_or_none), "", "or the environment variable that has the password", only=LOGIN),
    Key("database", _TEXT, "", 'what is logged in to; "": the server\'s own choice', only=SQL),
    Key(
        "command",
        Several(_TEXT, may_be_empty=True),
        [],
        "a program and its arguments; exit status 0 is well",
        only=EXEC,
    ),
)


def _make(values: Values) -> Check:
    return Check(**{**values, "status": _in_order(values["status"]), "command": _in_order(values["command"])})


def _in_order(read: dict[int, object]) -> tuple[object, ...]:
    return tuple(read.values())


def _take(check: Check) -> Values | None:
    if check.type is CheckType.OFF:
        return None
    return {name: getattr(check, name) for name, key in CHECK.keys.items() if key.fits(check.type)}


CHECK_TABLE = Table(
    CHECK,
    short=_TYPE,
    from_short=lambda kind: {"type": kind},
    make=_make,
    take=_take,
    shorten=lambda check: check.type.value,
    examine=lambda values, tried: broken(CHECK, values, tried),
    counting=lambda values: {"type": CheckType.OFF} if values["type"] is CheckType.OFF else values,
    apart=True,
)
