"""A workspace folder to checked documents, with and without the cache."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from nhictl.manifest import schema_files, validate
from nhictl.model import InvalidManifests, NhictlError

TODAY = dt.date(2026, 11, 22)
QUICKSTART = Path(schema_files.__file__).parents[2] / "examples" / "quickstart"


@pytest.fixture
def root(tmp_path):
    return Path(shutil.copytree(QUICKSTART, tmp_path / "workspace"))


def broken(root):
    (root / "manifests" / "zz.yaml").write_text(
        "apiVersion: nhictl.dev/v1alpha1\nkind: Owner\nmetadata: {name: Bad}\nspec: {type: team, contact: {chat: x}}\n"
    )


def test_example_is_valid(root):
    """A good workspace comes out sound, with all its documents."""
    found = validate.validate(root, today=TODAY)
    assert found.errors == ()
    assert found.sound() is found.workspace
    assert len(found.documents) >= found.files > 5


def test_errors_of_workspace_and_manifests_in_one_run(root):
    """A broken `nhictl.yaml` does not hide a broken manifest."""
    broken(root)
    text = (root / "nhictl.yaml").read_text()
    (root / "nhictl.yaml").write_text(text.replace("kind: Workspace", "kind: Workspaces"))
    found = validate.validate(root, today=TODAY)
    assert found.workspace is None
    assert {d.span.file for d in found.errors} >= {"nhictl.yaml", "manifests/zz.yaml"}
    with pytest.raises(InvalidManifests):
        found.sound()


def test_paths_narrow_what_is_told(root):
    """Naming a good file tells nothing about a bad one; naming the bad one tells it."""
    broken(root)
    assert validate.validate(root, today=TODAY, paths=["manifests/owners"]).errors == ()
    assert [d.code for d in validate.validate(root, today=TODAY, paths=["manifests/zz.yaml"]).errors] == ["E205"]


def test_cache_gives_the_same_result_without_parsing(root, tmp_path, monkeypatch):
    """The second run takes the diagnostics from the cache; a change of any file, or of the day, does not."""
    broken(root)
    cache = tmp_path / "cache"
    first = validate.validate(root, today=TODAY, cache_directory=cache)
    with monkeypatch.context() as patched:
        patched.setattr(validate, "parse_all", None)
        again = validate.validate(root, today=TODAY, cache_directory=cache, documents=False)
        with pytest.raises(TypeError):
            validate.validate(root, today=dt.date(2026, 11, 23), cache_directory=cache, documents=False)
    assert again.diagnostics == first.diagnostics
    (root / "manifests" / "zz.yaml").unlink()
    assert validate.validate(root, today=TODAY, cache_directory=cache, documents=False).errors == ()


def test_validating_changes_no_file_of_the_workspace(root, tmp_path):
    """Only the cache directory is written to."""
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    validate.validate(root, today=TODAY, cache_directory=tmp_path / "cache")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


def test_no_manifests_is_an_error(root):
    """An empty folder is never taken for "nothing declared"."""
    shutil.rmtree(root / "manifests")
    (root / "manifests").mkdir()
    assert validate.validate(root, today=TODAY).errors


def test_missing_configuration_is_an_error(tmp_path):
    """A folder without `nhictl.yaml` is no workspace."""
    with pytest.raises(NhictlError):
        validate.validate(tmp_path, today=TODAY)
