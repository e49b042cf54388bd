"""A server side of TLS for the tests, with a certificate of its own."""

import ssl
from pathlib import Path

from tests.kit.servers import make_certificate


class Secure:
    """A context for a server, the file of authorities by which it can be verified, and the names clients have sent."""

    def __init__(self, folder: Path, name: str) -> None:
        made = make_certificate(folder, name)
        self.ca_file = str(made.certificate)
        self.names: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(made.certificate, made.key)
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
