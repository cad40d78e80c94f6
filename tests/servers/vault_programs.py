"""Where the program of the tests' Vault comes from, and that of OpenBao, which stands in for it.

NHICTL_TEST_OPENBAO=1 chooses OpenBao. The program is the first of `VAULT_BIN` and `vault` on the PATH (OpenBao:
`BAO_BIN`, `bao`), and our own build of the Go module in `vault_server/` (`openbao_server/`), kept in the cache by the
digest of its sources.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.cache import cache, digest, kept
from tests.servers.once import NotFetched, ServerFailed

CHOICE = "NHICTL_TEST_OPENBAO"
# a Go that is older than a module wants fetches a newer one by itself from this version on
OLDEST_GO = 21
_BUILD_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Product:
    """One of the two servers: its name, its program's, the variable that leads to one, and our module."""

    name: str
    program: str
    variable: str
    source: Path

    @property
    def kept(self) -> Path:
        """Where our own build of these sources is, or will be."""
        sources = sorted(p for p in self.source.iterdir() if p.suffix in (".go", ".mod", ".sum"))
        return cache() / f"{self.source.name.removesuffix('_server')}-{digest(*(p.read_bytes() for p in sources))}"


_HERE = Path(__file__).parent
VAULT = Product("Vault", "vault", "VAULT_BIN", _HERE / "vault_server")
OPENBAO = Product("OpenBao", "bao", "BAO_BIN", _HERE / "openbao_server")


def chosen() -> Product:
    """Return the server that this run of the tests is for."""
    return OPENBAO if os.environ.get(CHOICE) else VAULT


def found() -> str | None:
    """Return the server's program where there is one already."""
    product = chosen()
    given = os.environ.get(product.variable) or shutil.which(product.program)
    return given or (str(product.kept / product.program) if product.kept.is_dir() else None)


def binary() -> str:
    """Return the server's program, building it when there is none; minutes the first time.

    Raises NotFetched when its modules cannot be fetched, ServerFailed when it cannot be built of them.
    """
    product = chosen()
    return found() or str(kept(product.kept.name, lambda folder: _build(product, folder)) / product.program)


def can_build() -> bool:
    """Say whether there is a Go that knows the language of the modules, or how to fetch one that does."""
    program = shutil.which("go")
    if program is None:
        return False
    said = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False).stdout
    named = re.match(r"go1\.(\d+)", said)
    return named is not None and int(named.group(1)) >= OLDEST_GO


def _build(product: Product, folder: Path) -> None:
    fetched = _go(product, "list", "-deps", ".")
    if fetched.returncode:
        raise NotFetched(f"Go cannot get its modules: {fetched.stderr.strip()[-1500:]}")
    built = _go(product, "build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / product.program), ".")
    if built.returncode:
        raise ServerFailed(f"go build failed:\n{built.stderr[-2500:]}")


def _go(product: Product, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"CGO_ENABLED": "0"}
    return subprocess.run(
        ["go", *arguments], cwd=product.source, env=env, capture_output=True, text=True,
        timeout=_BUILD_SECONDS, check=False,
    )  # fmt: skip
