"""`doctor` looks at each part by itself, says where it came from, and shows no secret."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhictl.cli import context
from nhictl.model import Fault, Identity, ProviderError
from nhictl.providers.base import Checkup
from tests.cli.conftest import Line, configure
from tests.support import Shop


def checks(line: Line, *words: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The checks of a JSON report by area and name."""
    said = json.loads(line("doctor", "-o", "json", *words).out)
    assert said["formatVersion"] == 1
    return {(check["area"], check["name"]): check for check in said["checks"]}


def test_everything_in_order_is_exit_code_0(shop: Shop, line: Line):
    """A valid workspace on the embedded directory needs nothing else."""
    said = line("doctor")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("Everything is in order.\n")


def test_says_where_each_setting_came_from(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """nhictl.yaml, a default, a variable, an option."""
    configure(shop.root, limits={"deleteMax": 3})
    monkeypatch.setenv("NHICTL_ENV", "test")
    found = checks(line, "-C", str(shop.root))
    sources = {name: check["source"] for (area, name), check in found.items() if area == "Configuration"}
    assert sources["file"] == "option"
    assert sources["environment"] == "variable NHICTL_ENV"
    assert sources["limits.deleteMax"] == "nhictl.yaml"
    assert sources["limits.deletePercent"] == "default"
    assert found["Configuration", "limits.deleteMax"]["text"] == "3"


def test_warns_of_a_variable_no_option_has(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """A misspelt variable would be without effect, silently."""
    monkeypatch.setenv("NHICTL_NO_CASHE", "1")
    found = checks(line)["Configuration", "NHICTL_NO_CASHE"]
    assert (found["state"], found["hint"]) == ("warning", "did you mean NHICTL_NO_CACHE?")
    assert line("doctor").code == 0


def test_works_without_a_workspace(tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Versions and cache are looked at all the same."""
    monkeypatch.chdir(tmp_path)
    found = checks(line)
    assert found["Configuration", "workspace"]["state"] == "error"
    assert found["This machine", "nhictl"]["state"] == "ok"
    assert line("doctor").code == 1


def test_works_with_broken_manifests(shop: Shop, line: Line):
    """Targets and ledger are looked at all the same."""
    (shop.root / "manifests" / "bad.yaml").write_text("kind: [")
    found = checks(line)
    assert found["Configuration", "objects"]["state"] == "error"
    assert found["Environment test", "directory apply"]["state"] == "ok"
    assert line("doctor").code == 1


def test_works_with_a_broken_configuration(shop: Shop, line: Line):
    """The first thing wrong is named with its place."""
    (shop.root / "nhictl.yaml").write_text("kind: [")
    found = checks(line)
    assert found["Configuration", "workspace"]["state"] == "error"
    assert "nhictl.yaml:" in found["Configuration", "workspace"]["text"]
    assert found["This machine", "packages"]["state"] == "ok"


def test_one_broken_target_does_not_hide_the_other(shop: Shop, line: Line):
    """Each target is a check of its own."""
    (shop.root / "broken.db").write_text("no database at all, but a longer text than a header")
    targets = {name: {"provider": "local", "path": f"{name}.db"} for name in ("broken", "directory")}
    configure(shop.root, environments={"test": {"targets": targets}})
    found = checks(line)
    assert found["Environment test", "broken"]["state"] == "error"
    assert found["Environment test", "directory"]["state"] == "ok"


def test_an_unknown_environment_names_those_there_are(shop: Shop, line: Line):
    """As everywhere."""
    found = checks(line, "-e", "prod")["Environments", "prod"]
    assert (found["state"], found["hint"]) == ("error", "one of: test")


class Refused:
    """An adapter whose credentials nobody takes, or whose principal may do little."""

    def __init__(self, *missing: str, fault: Fault | None = None) -> None:
        self.missing, self.fault = missing, fault

    @contextlib.contextmanager
    def connect(self, target: Any, *, write: bool) -> Iterator[Refused]:
        """Open, or refuse the credentials."""
        assert not write
        if self.fault:
            raise ProviderError(self.fault, "the token is expired", hint="log in")
        yield self

    def identity(self) -> Identity:
        """Say who."""
        return Identity("stub", "realm", "somebody")

    def checkup(self, declared: Any) -> Checkup:
        """Say what is missing."""
        return Checkup("token file: somebody", (), self.missing)

    def desired(self, estate: Any) -> Any:
        """Declare nothing."""
        return type("Compiled", (), {"resources": (), "diagnostics": ()})


def test_refused_credentials_are_exit_code_4(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Authentication has its own code."""
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Refused(fault=Fault.AUTH)})
    said = line("doctor")
    assert said.code == 4
    assert "the token is expired" in said.out
    assert "help: log in" in said.out


def test_lists_the_permissions_missing_for_apply(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """By name, apart from those for plan."""
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Refused("role/create", "role/delete")})
    found = checks(line)
    assert found["Environment test", "directory apply"]["details"] == ["role/create", "role/delete"]
    assert found["Environment test", "directory plan"]["state"] == "ok"
    assert line("doctor").code == 1


def test_a_ledger_is_intact_free_and_unsigned(shop: Shop, line: Line):
    """After an apply."""
    shop.converge()
    found = checks(line)
    assert found["Environment test", "ledger"]["text"].startswith("intact, ")
    assert found["Environment test", "ledger lock"]["text"] == "free"
    assert "the last checkpoint is not signed" in found["Environment test", "ledger signing"]["text"]


def test_an_altered_ledger_is_an_error(shop: Shop, line: Line):
    """And says so before somebody applies."""
    shop.converge()
    log = shop.root / ".nhictl" / "ledger" / "test" / "log.jsonl"
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    found = checks(line)["Environment test", "ledger"]
    assert (found["state"], found["text"][:10]) == ("error", "NOT intact")
    assert line("doctor").code == 1


def test_a_key_that_cannot_be_used_is_an_error_and_not_shown(
    shop: Shop, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A configured key never falls back to unsigned; its content stays where it is."""
    key = tmp_path / "key"
    key.write_text("canary-4711")
    monkeypatch.setenv("NHICTL_LEDGER_KEY", str(key))
    monkeypatch.setenv("NHICTL_KEY", "canary-4711")
    said = line("doctor")
    assert said.code == 1
    assert "canary-4711" not in said.all


def test_looking_changes_nothing(shop: Shop, line: Line):
    """Not even the directory's file is made."""
    before = shop.tree()
    line("doctor")
    assert shop.tree() == before


def test_a_cache_that_is_not_private_is_not_used_and_says_so(
    shop: Shop, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whoever can write there could make validation lie."""
    (tmp_path / "open" / "nhictl").mkdir(parents=True)
    (tmp_path / "open" / "nhictl").chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "open"))
    assert checks(line)["This machine", "cache"]["state"] == "warning"


def test_a_torn_line_is_no_open_operation(shop: Shop, line: Line):
    """Each finding under its own name."""
    shop.converge()
    log = shop.root / ".nhictl" / "ledger" / "test" / "log.jsonl"
    with log.open("ab") as file:
        file.write(b'{"v":1,"torn')
    found = checks(line)
    assert ("Environment test", "ledger operations") not in found
    assert found["Environment test", "ledger torn"]["state"] == "warning"
    assert "entry -1" not in line("doctor").out
