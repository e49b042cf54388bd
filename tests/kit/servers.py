"""Real servers for a test: private, on loopback, in a folder of their own.

Nothing of the machine's own is used: no service, no configuration, no key. Those who would not serve root are started
as somebody else.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from l4d.address import Address
from tests.kit.ports import free_port
from tests.kit.programs import IS_ROOT, LOOPBACK, Program, Running, free_port_of_both, port_of, run


class Redis(Program):
    """Keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        keep_nothing = ("--save", "", "--appendonly", "no")
        super().__init__(folder, port, "redis-server", "--port", port, "--bind", LOOPBACK, *keep_nothing)


class Memcached(Program):
    """Over TCP and UDP, on one port number."""

    def __init__(self, folder: Path) -> None:
        port = free_port_of_both()
        super().__init__(
            folder, port, "memcached", "-l", LOOPBACK, "-p", port, "-U", port, *(["-u", "nobody"] if IS_ROOT else [])
        )


class Resolver(Program):
    """Unbound, which answers host1.example.test and so on by itself, over TCP and UDP, and asks nobody."""

    def __init__(self, folder: Path, hosts: int) -> None:
        port = free_port_of_both()
        records = "".join(f'    local-data: "host{i}.example.test. A 192.0.2.{i % 256}"\n' for i in range(hosts))
        config = folder / "unbound.conf"
        config.write_text(
            f"""server:
    interface: {LOOPBACK}
    port: {port}
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    use-syslog: no
    logfile: ""
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{folder}"
    module-config: "iterator"
    incoming-num-tcp: 100
    local-zone: "example.test." static
{records}"""
        )
        super().__init__(folder, port, "unbound", "-d", "-c", config)


class Sshd(Program):
    """Lets in whoever runs the tests, by a key made for it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        host_key, self._key = folder / "host_key", folder / "key"
        for key in (host_key, self._key):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        config = folder / "sshd_config"
        config.write_text(
            f"""ListenAddress {LOOPBACK}:{port}
HostKey {host_key}
AuthorizedKeysFile {self._key}.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
Subsystem sftp internal-sftp
"""
        )
        if IS_ROOT:  # the one place outside the folder: sshd gives root up in it, and its path is compiled in
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        super().__init__(folder, port, "sshd", "-D", "-e", "-f", config)

    @property
    def client_options(self) -> list[str]:
        """For ssh and scp: our key alone, and whatever host key is met is believed."""
        wanted = ("IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        return ["-F", "none", "-i", str(self._key), *(word for option in wanted for word in ("-o", option))]


class PostgreSQL(Program):
    """A cluster made for the tests; everybody on this machine is trusted."""

    def __init__(self) -> None:
        port = free_port()
        # Not in pytest's folders: those are closed to others, and PostgreSQL does not serve root.
        self._folder = Path(tempfile.mkdtemp(prefix="l4d-postgresql-"))
        user = ""
        if IS_ROOT:
            user = "postgres"
            shutil.chown(self._folder, user, user)
        data = self._folder / "data"
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        with Running(self._folder, "initdb", "-D", data, *options, user=user) as initdb:
            initdb.finish()
        settings = {"listen_addresses": LOOPBACK, "port": port, "unix_socket_directories": "", "fsync": "off"}
        line = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        ready = "ready to accept connections"
        super().__init__(self._folder, port, "postgres", "-D", data, *line, user=user, end_by=SIGINT, ready=ready)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder)


def conninfo(address: Address) -> str:
    """How a PostgreSQL client is told to come to *address*."""
    return f"host={LOOPBACK} port={port_of(address)} user=postgres dbname=postgres"


class Iperf(Program):
    """Serves one measurement, and ends."""

    def __init__(self, folder: Path) -> None:
        port = free_port_of_both()
        # Asked whether it accepts, it would take that for its one client.
        ready = "Server listening"
        super().__init__(folder, port, "iperf3", "-s", "-1", "-B", LOOPBACK, "-p", port, "--forceflush", ready=ready)


class Web(Program):
    """The files of a folder over HTTP. Python's own, so that nothing need be installed."""

    def __init__(self, folder: Path, files: Path) -> None:
        port = free_port()
        serve = ("-m", "http.server", "--bind", LOOPBACK, "--directory", files, port)
        super().__init__(folder, port, sys.executable, *serve)


@dataclass(frozen=True)
class Certificate:
    """Of "localhost", signed by itself."""

    certificate: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    new = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2)
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    run("openssl", "req", *new, *name, "-keyout", made.key, "-out", made.certificate)
    return made
