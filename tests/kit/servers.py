"""Real servers for a test: private, on loopback, in a folder of their own.

Nothing of the machine's own is used: no service, no configuration, no key. Those who would not serve root are started
as somebody else.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP, SIGINT

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


def _unbound(folder: Path, port: int) -> str:
    """The beginning of a configuration of unbound, in which it asks nobody and has nothing outside *folder*."""
    return f"""server:
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
"""


class Resolver(Program):
    """Unbound, which answers host1.example.test and so on by itself, over TCP and UDP, and asks nobody."""

    def __init__(self, folder: Path, hosts: int) -> None:
        port = free_port_of_both()
        records = "".join(f'    local-data: "host{i}.example.test. A 192.0.2.{i % 256}"\n' for i in range(hosts))
        config = folder / "unbound.conf"
        config.write_text(
            f"""{_unbound(folder, port)}    incoming-num-tcp: 100
    local-zone: "example.test." static
{records}"""
        )
        super().__init__(folder, port, "unbound", "-d", "-c", config)


class Zone(Program):
    """Unbound with one zone, "example.test", which the test writes and changes; over UDP and TCP.

    with Zone(tmp_path, "db 1 A 192.0.2.1") as zone:
        zone.change("db 1 A 192.0.2.2")
    """

    def __init__(self, folder: Path, *records: str) -> None:
        """*records* are lines of a zone file (RFC 1035, 5.1): a name, a TTL, a type and what there is to say."""
        port = free_port_of_both()
        self._file = folder / "example.test.zone"
        self._serial = 0
        self._write(records)
        config = folder / "unbound.conf"
        config.write_text(
            f"""{_unbound(folder, port)}    local-zone: "test." nodefault
auth-zone:
    name: "example.test"
    zonefile: "{self._file}"
    for-downstream: yes
    for-upstream: no
"""
        )
        super().__init__(folder, port, "unbound", "-d", "-c", config)

    def change(self, *records: str) -> None:
        """The zone has these records instead, a moment from now."""
        self._write(records)
        self._process.send_signal(SIGHUP)

    def _write(self, records: tuple[str, ...]) -> None:
        self._serial += 1
        soa = f"@ 1 SOA ns.example.test. root.example.test. {self._serial} 3600 600 86400 1"
        self._file.write_text("\n".join(["$ORIGIN example.test.", soa, "@ 1 NS ns.example.test.", *records, ""]))


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

    def __init__(self, primary: "PostgreSQL | None" = None) -> None:
        """With a *primary*: its replica, by streaming replication."""
        port = free_port()
        # Not in pytest's folders: those are closed to others, and PostgreSQL does not serve root.
        self._folder = Path(tempfile.mkdtemp(prefix="l4d-postgresql-"))
        user = ""
        if IS_ROOT:
            user = "postgres"
            shutil.chown(self._folder, user, user)
        data = self._data = self._folder / "data"
        self._user = user
        if primary is None:
            options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
            made = Running(self._folder, "initdb", "-D", data, *options, user=user)
        else:
            source = ["-h", LOOPBACK, "-p", str(primary.port), "-U", "postgres", "--no-sync", "--checkpoint=fast", "-R"]
            made = Running(self._folder, "pg_basebackup", "-D", data, *source, user=user)
        with made:
            made.finish()
        settings = {"listen_addresses": LOOPBACK, "port": port, "unix_socket_directories": "", "fsync": "off"}
        line = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        ready = "ready to accept connections" if primary is None else "ready to accept read-only connections"
        super().__init__(self._folder, port, "postgres", "-D", data, *line, user=user, end_by=SIGINT, ready=ready)

    def promote(self) -> None:
        """A replica becomes a primary."""
        with Running(self._folder, "pg_ctl", "promote", "-D", self._data, user=self._user) as promotion:
            promotion.finish()

    def make_user(self, name: str, password: str) -> None:
        """Somebody who is not trusted."""
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {name} {LOOPBACK}/32 scram-sha-256\n{rules.read_text()}")
        for statement in (f"CREATE ROLE {name} LOGIN PASSWORD '{password}'", "SELECT pg_reload_conf()"):
            run("psql", conninfo(self.address), "-q", "-c", statement)

    def close(self) -> None:
        super().close()
        if self._folder.is_dir():
            shutil.rmtree(self._folder)


def conninfo(address: Address) -> str:
    """How a PostgreSQL client is told to come to *address*."""
    return f"host={LOOPBACK} port={port_of(address)} user=postgres dbname=postgres"


class MariaDB(Program):
    """A data folder made for the tests, with a user "l4d" whose password is "hunter2"."""

    def __init__(self) -> None:
        port = free_port()
        # Not in pytest's folders, as PostgreSQL's; and the path of its socket must be short.
        self._folder = Path(tempfile.mkdtemp(prefix="l4d-mariadb-"))
        user = ""
        if IS_ROOT:
            user = "mysql"
            shutil.chown(self._folder, user, user)
        data, self.socket = self._folder / "data", self._folder / "socket"
        plain = ["--no-defaults", f"--datadir={data}"]
        options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        with Running(self._folder, "mariadb-install-db", *plain, *options, user=user) as install:
            install.finish()
        start = self._folder / "start.sql"
        start.write_text("CREATE USER l4d@localhost IDENTIFIED BY 'hunter2';\n")
        where = [f"--bind-address={LOOPBACK}", f"--port={port}", f"--socket={self.socket}", f"--init-file={start}"]
        super().__init__(self._folder, port, "mariadbd", *plain, *where, user=user, ready="ready for connections")

    def run(self, statement: str) -> str:
        """As root, over its unix socket."""
        return run("mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-N", "-e", statement)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder)


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
    """Of one name, signed by itself."""

    certificate: Path
    key: Path


def make_certificate(folder: Path, name: str = "DNS:localhost") -> Certificate:
    """*name* as OpenSSL writes it: "DNS:localhost", "IP:127.0.0.1"."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    new = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2)
    of = ("-subj", "/CN=localhost", "-addext", f"subjectAltName={name}")
    run("openssl", "req", *new, *of, "-keyout", made.key, "-out", made.certificate)
    return made
