"""Keycloak as a server to start: where the distribution comes from, and how a start takes seconds.

The distribution comes from `KEYCLOAK_HOME`, or from Maven by its coordinates. A copy in the cache is built once, and
started once so that its database has the schema and the master realm; each run starts from a copy of that. It listens
on plain HTTP on the loopback, and on TLS, where it asks clients for a certificate: in the folder `tls` of a run are the
authority that it trusts (`certificates`) and that port's number, `port`.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from contextlib import closing, suppress
from pathlib import Path

from tests.servers.aws import free_port
from tests.servers.cache import cache, digest, kept
from tests.servers.certificates import authority
from tests.servers.once import Launch, NotFetched, ServerFailed, clean_environment, started

VERSION = "26.7.3"
COORDINATES = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
FETCH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
ADMIN, PASSWORD = "admin", "not-a-secret-for-tests-only"
OLDEST_JAVA = 17
START_SECONDS = 240.0
BUILD = ("--db=dev-file", "--features=client-secret-rotation", "--https-client-auth=request")
START = (
    "start",
    "--optimized",
    "--http-enabled=true",
    "--hostname-strict=false",
    "--cache=local",
    "--http-host=127.0.0.1",
)
LINKED = ("lib", "providers", "themes", "conf", "version.txt")


def reason() -> str | None:
    """Say what is missing to run Keycloak here; None when nothing is."""
    if os.environ.get("NHICTL_TEST_KEYCLOAK_URL"):
        return None
    if _java() < OLDEST_JAVA:
        return f"Keycloak: Java {OLDEST_JAVA}"
    if not os.environ.get("KEYCLOAK_HOME") and not shutil.which("mvn") and not _name().is_dir():
        return "Keycloak: Maven or KEYCLOAK_HOME"
    return None


def _java() -> int:
    """Return the version of Java that Keycloak would get, 0 without one."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None)
    if program is None:
        return 0
    said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    named = re.search(r'version "(\d+)', said)
    return int(named.group(1)) if named else 0


def prepared() -> Path:
    """Return a distribution in the cache that is built and has a database, making it when there is none.

    Raises NotFetched when Maven cannot get it, ServerFailed when it does not work.
    """
    return kept(_name().name, _prepare)


def launch(home: Path, port: int) -> Launch:
    """Return how to start Keycloak in an empty folder, from the prepared distribution."""
    source = prepared()
    for name in LINKED:
        (home / name).symlink_to(source / name)
    # the script takes the folder it is in for the server's: it must be a copy
    shutil.copytree(source / "bin", home / "bin")
    shutil.copytree(source / "data", home / "data")
    return _launch(home, *START, f"--http-port={port}", "--proxy-headers=xforwarded", *_tls(home / "tls"))


def _tls(folder: Path) -> tuple[str, ...]:
    """Return how it listens on TLS, with a certificate of an authority whose clients it lets in, both made here."""
    folder.mkdir()
    authority(folder)
    port = free_port()
    (folder / "port").write_text(str(port))
    return (
        f"--https-port={port}",
        f"--https-certificate-file={folder / 'server.pem'}",
        f"--https-certificate-key-file={folder / 'server.key.pem'}",
        f"--truststore-paths={folder / 'ca.pem'}",
    )


def ready(port: int) -> bool:
    """Say whether the master realm answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/realms/master")
        return connection.getresponse().status == 200
    return False


def _launch(home: Path, *arguments: str) -> Launch:
    env = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        # a short life: quick to start matters more than quick at full speed
        "JAVA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms64m -Xmx512m -XX:MaxMetaspaceSize=320m"
        " -XX:+ExitOnOutOfMemoryError -Dfile.encoding=UTF-8 -Djava.security.egd=file:/dev/urandom",
    }
    return Launch((str(home / "bin" / "kc.sh"), *arguments), env)


def _name() -> Path:
    own = os.environ.get("KEYCLOAK_HOME")
    version = (Path(own) / "version.txt").read_text() if own else VERSION
    return cache() / f"keycloak-{digest(version, own or '', *BUILD, ADMIN, PASSWORD)}"


def _prepare(folder: Path) -> None:
    _distribution(folder)
    built = _launch(folder, "build", *BUILD)
    env = clean_environment() | {"HOME": str(folder)} | dict(built.env)
    done = subprocess.run(built.command, env=env, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise ServerFailed(f"kc.sh build failed:\n{(done.stdout + done.stderr)[-2500:]}")
    with started(_First, folder, free_port()):
        pass


class _First:
    """The first start of a distribution, which makes its database."""

    START_SECONDS = START_SECONDS

    @staticmethod
    def launch(home: Path, port: int) -> Launch:
        return _launch(home, *START, f"--http-port={port}")

    ready = staticmethod(ready)


def _distribution(folder: Path) -> None:
    own = os.environ.get("KEYCLOAK_HOME")
    if own:
        shutil.copytree(own, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("data"))
        return
    with tempfile.TemporaryDirectory() as work:
        for goal, rest in ((FETCH, ("-Dtransitive=false",)), (COPY, (f"-DoutputDirectory={work}",))):
            command = ["mvn", "-q", "-B", goal, f"-Dartifact={COORDINATES}", *rest]
            done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=900, check=False)
            if done.returncode:
                raise NotFetched(f"Maven cannot get {COORDINATES}: {(done.stdout + done.stderr).strip()[-1500:]}")
        with zipfile.ZipFile(next(Path(work).glob("*.zip"))) as archive:
            archive.extractall(work)
        shutil.copytree(Path(work) / f"keycloak-{VERSION}", folder, dirs_exist_ok=True)
    (folder / "bin" / "kc.sh").chmod(0o755)
