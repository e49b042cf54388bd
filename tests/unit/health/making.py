"""A check as a test wants it: the defaults of the documentation, and what the test says."""

from typing import Any

from l4d.config.model import Check
from l4d.terms import CheckType, Role

_DEFAULTS: dict[str, Any] = {
    "type": CheckType.TCP, "interval": 2.0, "timeout": 1.0, "fall": 3, "rise": 2, "port": 0, "role": Role.ANY,
    "send": "", "send_hex": b"", "expect": "", "expect_hex": b"", "path": "/", "host": "", "method": "GET",
    "status": ((200, 399),), "body": "", "tls": False, "verify": True, "server_name": "", "ca_file": "", "query": "",
    "query_type": "A", "answer": "", "user": "", "password_file": "", "password_env": "", "database": "", "command": (),
}  # fmt: skip


def make_check(kind: CheckType = CheckType.TCP, **keys: Any) -> Check:
    return Check(**{**_DEFAULTS, "type": kind, **keys})
