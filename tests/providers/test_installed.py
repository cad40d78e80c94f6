"""Adapters of others: found by their entry point, their settings checked by their own schema."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nhictl.cli import context
from nhictl.manifest import installed, schema_files
from nhictl.manifest.validate import validate
from nhictl.model import InvalidManifests, NhictlError
from tests.support import START, Shop

SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["address"],
    "properties": {"address": {"type": "string"}, "port": {"type": "integer"}},
}  # fmt: skip
MODULE = f"""
from dataclasses import replace

from nhictl.providers.local.adapter import adapter as _local

adapter = replace(_local, name="example-directory", settings_schema={SCHEMA!r})
broken = replace(_local, settings_schema={{"type": "wish"}})
"""


@pytest.fixture()
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with two adapters, one whose schema is none, and a promise it does not keep."""
    folder = tmp_path / "site"
    facts = folder / "example_directory-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / "example_directory.py").write_text(MODULE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: example-directory\nVersion: 1.0\n")
    points = ["example-directory = example_directory:adapter", "broken = example_directory:broken"]
    points += ["absent = example_directory:absent"]
    (facts / "entry_points.txt").write_text("\n".join([f"[{installed.GROUP}]", *points, ""]))
    monkeypatch.syspath_prepend(folder)
    return facts


def shop(root: Path, provider: str, **settings: object) -> Shop:
    """A workspace without roles or identities whose one target is of another's provider."""
    made = Shop(root / "shop", target={"provider": provider, "path": "x", **settings})
    made.declare()
    text = (made.root / "nhictl.yaml").read_text()
    (made.root / "nhictl.yaml").write_text(text.replace("          path: x\n", ""))
    return made


def environment(made: Shop):
    return context.load(made.root, "", cache=False).environment


def test_an_installed_adapter_is_used(package: Path, tmp_path: Path):
    """By its entry point, with settings that fit its schema; validating finds nothing wrong."""
    made = shop(tmp_path, "example-directory", address="directory.example.com", port=636)
    found = context.adapters(environment(made))
    assert found["example-directory"].name == "example-directory"
    assert context.checked_workspace(made.root, cache=False, compiled=True).diagnostics == ()


@pytest.mark.parametrize(
    ("settings", "code"),
    [({}, "E202"), ({"adress": "x"}, "E201"), ({"address": 1}, "E203"), ({"address": "x", "port": 1.5}, "E203")],
)
def test_settings_that_do_not_fit_are_told_at_the_target(
    package: Path, tmp_path: Path, settings: dict[str, object], code: str
):
    """By `validate` and by whatever needs the adapter."""
    made = shop(tmp_path, "example-directory", **settings)
    (told,) = context.checked_workspace(made.root, cache=False, compiled=True).diagnostics
    with pytest.raises(InvalidManifests) as raised:
        context.adapters(environment(made))
    line = (made.root / "nhictl.yaml").read_text().splitlines().index("        directory:") + 1
    assert (told.code, str(told.span)) == (code, f"nhictl.yaml:{line}:9")
    assert raised.value.diagnostics == (told,)


def test_a_new_release_of_an_adapter_is_asked_again(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing remembered from another release counts."""
    made = shop(tmp_path, "example-directory", address="x")
    asked: list[str] = []

    def judge(_checked: object) -> list[object]:
        asked.append("again")
        return []

    for version in ("1.0", "1.0", "1.1"):
        (package / "METADATA").write_text(f"Metadata-Version: 2.1\nName: example-directory\nVersion: {version}\n")
        memory = tmp_path / "cache"
        validate(made.root, today=START.date(), cache_directory=memory, documents=False, judge=judge)  # type: ignore[arg-type]
    assert asked == ["again", "again"]


@pytest.mark.parametrize("provider", ["broken", "absent"])
def test_a_broken_package_is_no_defect_of_nhictl(package: Path, tmp_path: Path, provider: str):
    """It says whose fault it is."""
    made = shop(tmp_path, provider, address="x")
    with pytest.raises(NhictlError) as raised:
        context.adapters(environment(made))
    assert "its package is broken" in raised.value.hint


def test_without_the_package_validating_says_so(tmp_path: Path):
    """The provider is unknown before anything else is tried."""
    made = shop(tmp_path, "example-directory", address="x")
    (told,) = context.checked_workspace(made.root, cache=False).diagnostics
    assert (told.code, "is installed" in told.summary) == ("E211", True)


@pytest.mark.parametrize("name", installed.BUILT_IN)
def test_the_schema_of_the_workspace_is_the_settings_of_the_built_in_adapters(name: str):
    """Two descriptions of one thing: the same fields with the same words and limits, the same of them required."""
    own = importlib.import_module(f"nhictl.providers.{name}.adapter").adapter.settings_schema
    schema = schema_files.published("workspace")
    published = schema["$defs"][f"target-{name}"]
    fields = {k: resolved(v, schema["$defs"]) for k, v in published["properties"].items() if k != "provider"}
    assert fields == resolved(own["properties"], {})
    assert set(published["required"]) - {"provider"} == set(own.get("required", ()))
    assert published["additionalProperties"] is own["additionalProperties"] is False


def resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema with its references written out, without titles and examples."""
    if isinstance(schema, list | tuple):
        return [resolved(item, definitions) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {k: resolved(v, definitions) for k, v in schema.items() if k not in ("$ref", "title", "examples")}
    if "$ref" not in schema:
        return kept
    return resolved(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions) | kept
