"""The password of a check, from where the operator keeps it."""

from collections.abc import Mapping

from l4d.config.model import Check
from l4d.errors import StartError
from l4d.health.words import reason

_LONGEST_LINE = 4096


def read_secret(check: Check, environ: Mapping[str, str]) -> str | None:
    """The password of a check, or None when it has none. To be called at the start, while this is still root.

    Raises StartError, whose message begins with the key: "password_file: /etc/l4d/pg: permission denied".
    """
    if check.password_env:
        secret = environ.get(check.password_env)
        if secret is None:
            raise StartError(f"password_env: there is no {check.password_env} in the environment")
        return secret
    if not check.password_file:
        return None
    try:
        with open(check.password_file, encoding="utf-8") as file:
            return file.readline(_LONGEST_LINE).rstrip("\r\n")
    except OSError as error:
        raise StartError(f"password_file: {check.password_file}: {reason(error)}") from None
    except UnicodeDecodeError:  # its text would have some of the bytes
        raise StartError(f"password_file: {check.password_file}: is not UTF-8 text") from None
