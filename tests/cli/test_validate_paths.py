"""`validate PATH` tells what concerns the named files and the configuration, never hiding that the rest is broken."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Line, configure
from tests.support import Shop

BROKEN = "a: 1\na: 2\n"


@pytest.fixture()
def broken(shop: Shop) -> Shop:
    """A workspace with one sound folder, and two files with an error each."""
    for name in ("bad", "worse"):
        (shop.root / "manifests" / f"{name}.yaml").write_text(BROKEN)
    return shop


def test_errors_elsewhere_are_counted_and_nothing_is_called_good(broken: Shop, line: Line):
    """The exit code is that of the named file."""
    said = line("validate", "manifests/000.yaml")
    assert (said.code, said.out) == (0, "")
    assert "2 errors in other files" in said.err
    assert "All good" not in said.err


def test_a_named_file_with_an_error_is_told_and_the_other_counted(broken: Shop, line: Line):
    """Only the named one is shown."""
    said = line("validate", "manifests/bad.yaml")
    assert said.code == 65
    assert "bad.yaml:2" in said.out
    assert "worse.yaml" not in said.all
    assert "1 error in other files" in said.err


def test_the_whole_workspace_by_name_is_the_whole_workspace(broken: Shop, line: Line):
    """`validate .` and `validate` are the same."""
    (broken.root / "compose.yaml").write_text("services: {}\n")
    assert line("validate", ".") == line("validate")


@pytest.mark.parametrize("words", ["manifests/000.yaml", "nhictl.yaml"])
def test_a_broken_configuration_concerns_every_file(shop: Shop, line: Line, words: str):
    """No file can be sound in a workspace that cannot be loaded."""
    configure(shop.root, limts={})
    said = line("validate", words)
    assert said.code == 65
    assert "nhictl.yaml:" in said.out


def test_naming_the_configuration_does_not_read_it_as_a_manifest(shop: Shop, line: Line):
    """It is sound."""
    assert line("validate", "nhictl.yaml").code == 0


def test_an_error_that_points_to_the_named_file_concerns_it(shop: Shop, line: Line):
    """The second of two objects with one name is an error of the first, too."""
    (shop.root / "manifests" / "zz.yaml").write_text((shop.root / "manifests" / "000.yaml").read_text())
    said = line("validate", "manifests/000.yaml")
    assert said.code == 65
    assert "zz.yaml:" in said.out


def test_a_sound_file_in_a_sound_workspace_is_all_good(shop: Shop, line: Line):
    """Then, and only then."""
    said = line("validate", "manifests/000.yaml")
    assert said.code == 0
    assert "All good" in said.err
