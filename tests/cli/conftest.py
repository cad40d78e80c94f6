"""A command line in this process, and workspaces for it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from nhictl.cli.app import run
from tests.support import Shop, nhi, role


@dataclass(frozen=True)
class Said:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Both streams."""
        return self.out + self.err


Line = Callable[..., Said]


def _run(*words: str) -> Said:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with mock.patch.multiple(sys, stdout=out, stderr=err, argv=["nhictl", *words], stdin=io.StringIO()):
        code = int(run(words))
        out.flush()
        err.flush()
    return Said(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No CI, no options from variables, no cache of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(("NHICTL_", "GITHUB_", "GITLAB_", "CI_", "AWS_")) or name in (
            "CI",
            "NO_COLOR",
            "FORCE_COLOR",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture()
def line() -> Line:
    """Run one command line in the current directory."""
    return _run


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A workspace with two NHIs and two roles, nothing applied, as the current directory."""
    made = Shop(tmp_path / "shop").declare(
        role("reader"), role("writer", "write"), nhi("api", "reader", labels={"app": "web"}), nhi("job", "writer")
    )
    monkeypatch.chdir(made.root)
    return made


def configure(root: Path, **spec: Any) -> None:
    """Change the specification in the workspace's nhictl.yaml."""
    path = root / "nhictl.yaml"
    document = yaml.safe_load(path.read_text())
    document["spec"] |= spec
    path.write_text(yaml.safe_dump(document))
