"""What is asked of a server's certificate: the keys verify, server_name and ca_file, for the checks that speak TLS."""

import ssl
from contextlib import suppress

from l4d.address import Unix
from l4d.config.model import Check
from l4d.health.probe import Target
from l4d.health.words import one_line, reason


class Trust:
    """One check's. The authorities are read at once, since the file may be root's; if that fails, when asking."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._context: ssl.SSLContext | None = None
        with suppress(ValueError):
            self._context = self._make()

    def context(self) -> ssl.SSLContext:
        """Raises ValueError when the authorities cannot be read."""
        if self._context is None:
            self._context = self._make()
        return self._context

    def name(self, target: Target) -> str | None:
        """What is sent as SNI and must be in the certificate; for an IP address it is not sent (RFC 6066, 3).

        The check's server_name, or the name the server was given by, or its address.

        Raises ValueError for a unix socket without a server_name: no certificate has its path.
        """
        if self._check.server_name or target.host:
            return self._check.server_name or target.host
        if not self._check.verify:
            return None
        if isinstance(target.address, Unix):
            raise ValueError("a unix socket has no address to verify: the check needs a server_name")  # noqa: TRY004
        return target.address.host

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not self._check.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._check.ca_file:
            try:
                context.load_verify_locations(self._check.ca_file)
            except ssl.SSLError as error:
                raise ValueError(f"ca_file {self._check.ca_file}: {said(error)}") from error
            except OSError as error:
                raise ValueError(f"ca_file {self._check.ca_file}: {reason(error)}") from error
        else:
            context.load_default_certs()
        return context


def said(error: ssl.SSLError) -> str:
    """What OpenSSL says, without the line of its source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return one_line(f"certificate: {error.verify_message}")
    return one_line(f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}")
