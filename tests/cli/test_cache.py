"""What others may have put into the cache decides nothing that is carried out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Line
from tests.support import Shop


def _cached() -> bool:
    return (Path(os.environ["XDG_CACHE_HOME"]) / "nhictl").exists()


@pytest.mark.parametrize("words", [("apply", "--yes"), ("adopt", "role/reader", "--yes")])
def test_what_changes_something_has_no_cache(shop: Shop, line: Line, words: tuple[str, ...]) -> None:
    """Every manifest is parsed anew: no cache is opened."""
    line(*words)
    assert not _cached()


@pytest.mark.parametrize(
    ("variables", "kept"),
    [({}, True), ({"CI": "true"}, False), ({"CI": "true", "NHICTL_CACHE": "1"}, True), ({"NHICTL_CACHE": "0"}, False)],
)
def test_plan_keeps_a_cache_outside_of_ci(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], kept: bool
) -> None:
    """In CI only where the pipeline says that its cache is its own."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    line("plan")
    assert _cached() is kept
