"""Workspaces are found, read and cached: order, contents digest, privacy of the cache, and its harmless loss."""

from __future__ import annotations

import marshal
import os
from pathlib import Path

import pytest

from nhictl.manifest import cache as caches
from nhictl.manifest import reader
from nhictl.manifest.cache import Cache, open_cache
from nhictl.manifest.discover import manifest_files
from nhictl.manifest.load import Loaded, load
from nhictl.model import Diagnostic, Severity, Span


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with three manifests, one of them hidden, and its configuration."""
    base = tmp_path / "w"
    (base / "manifests" / "b").mkdir(parents=True)
    (base / "manifests" / ".hidden").mkdir()
    (base / "nhictl.yaml").write_text("kind: Workspace\n")
    (base / "manifests" / "b" / "one.yml").write_text("kind: Role\nmetadata: {name: one}\n")
    (base / "manifests" / "a.yaml").write_text("kind: NHI\nmetadata: {name: a}\nspec: {x: '${v}'}\n")
    (base / "manifests" / ".hidden" / "x.yaml").write_text("kind: NHI\n")
    (base / "manifests" / "notes.txt").write_text("x")
    return base


@pytest.fixture
def cache(tmp_path: Path, root: Path) -> Cache:
    """A cache beside the workspace."""
    opened = open_cache(tmp_path / "cache" / "nhictl", schema_digest="s", root=root)
    assert opened is not None
    return opened


def _load(root: Path, cache: Cache | None = None) -> Loaded:
    return load(root, manifest_files(root, ["."])[0], cache)


def _file(cache: Cache) -> Path:
    (only,) = cache.directory.glob("*.cache")
    return only


def test_files_are_found_in_order(root: Path) -> None:
    """Manifests come sorted by path; hidden ones, others and the configuration are left out; entries may overlap."""
    paths, problems = manifest_files(root, ["manifests/b", ".", "manifests/a.yaml"])
    assert [p.relative_to(root.resolve()).as_posix() for p in paths] == ["manifests/a.yaml", "manifests/b/one.yml"]
    assert problems == []


def test_unreadable_directory_is_an_error(root: Path) -> None:
    """A directory without read permission is an error, not an empty one."""
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root / "manifests" / "b").chmod(0)
    problems = manifest_files(root, ["manifests"])[1]
    (root / "manifests" / "b").chmod(0o700)
    assert [p.code for p in problems] == ["E131"]


def test_vanished_file_is_an_error(root: Path) -> None:
    """A file that went away between search and reading is an error and changes the digest."""
    before = _load(root)
    paths, _ = manifest_files(root, ["."])
    (root / "manifests" / "a.yaml").unlink()
    loaded = load(root, paths)
    assert ([p.code for p in loaded.diagnostics], loaded.contents != before.contents) == (["E131"], True)


def test_contents_digest(root: Path) -> None:
    """The digest depends on names and contents, and on nothing else."""
    first = _load(root).contents
    os.utime(root / "manifests" / "a.yaml", (1, 1))
    same = _load(root).contents
    (root / "manifests" / "a.yaml").rename(root / "manifests" / "c.yaml")
    renamed = _load(root).contents
    assert (same == first, renamed == first) == (True, False)


def test_order_of_paths_does_not_matter(root: Path) -> None:
    """Documents come in source order however the paths do."""
    paths, _ = manifest_files(root, ["."])
    assert load(root, paths[::-1]) == load(root, paths)


def test_cached_documents_are_the_same(root: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second load gives equal documents with the same positions, without parsing."""
    first = _load(root, cache)
    monkeypatch.setattr(reader, "parse", None)
    second = _load(root, cache)
    assert second == first
    assert [d.has_variables for d in second.documents] == [True, False]
    assert (
        second.documents[0].span("spec", "x")
        == first.documents[0].span("spec", "x")
        == Span("manifests/a.yaml", 3, 11, 6)
    )


def test_changed_file_is_parsed_again(root: Path, cache: Cache) -> None:
    """A change that keeps size and time is seen."""
    path = root / "manifests" / "a.yaml"
    _load(root, cache)
    times = path.stat()
    path.write_text(path.read_text().replace("name: a", "name: z"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert _load(root, cache).documents[0].name == "z"


def test_faulty_files_are_not_cached(root: Path, cache: Cache) -> None:
    """The problems of a file are told on every run."""
    (root / "manifests" / "a.yaml").write_text("a: 1\na: 2\n")
    assert [[p.code for p in _load(root, cache).diagnostics] for _ in range(2)] == [["E112"]] * 2


def test_cache_is_private(root: Path, cache: Cache) -> None:
    """Directory and files are for the owner alone, and nothing is written below the workspace."""
    before = sorted(root.rglob("*"))
    _load(root, cache)
    assert (cache.directory.stat().st_mode & 0o777, _file(cache).stat().st_mode & 0o777) == (0o700, 0o600)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("damage", [b"", b"x", None, "flip", "cut", "append", "foreign"])
def test_damaged_cache_is_ignored(root: Path, cache: Cache, damage: bytes | str | None) -> None:
    """Whatever stands in the cache file, the documents are right."""
    expected = _load(root, cache)
    file = _file(cache)
    data = file.read_bytes()
    broken = {
        "flip": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        "cut": data[:-1],
        "append": data + b"x",
        "foreign": marshal.dumps({}),
    }
    file.write_bytes(broken[damage] if isinstance(damage, str) else damage or b"\0" * 100)
    assert _load(root, cache) == expected


@pytest.mark.parametrize("value", [1, [], {"x": 1}, {b"x": 1}])
def test_cache_of_another_shape_is_ignored(root: Path, cache: Cache, value: object) -> None:
    """A well-formed slot with other content than expected does no harm."""
    cache.write(f"documents {root.resolve()}", value)
    assert [d.name for d in _load(root, cache).documents] == ["a", "one"]


def test_readable_by_others_is_ignored(root: Path, cache: Cache) -> None:
    """A cache file or directory open to others is not trusted."""
    cache.write("s", 1)
    _file(cache).chmod(0o644)
    loose_file = cache.read("s")
    _file(cache).chmod(0o600)
    trusted = cache.read("s")
    cache.directory.chmod(0o755)
    assert (loose_file, trusted, cache.read("s")) == (None, 1, None)
    assert open_cache(cache.directory, schema_digest="s", root=root) is None


def test_links_in_the_cache_are_ignored(tmp_path: Path, root: Path, cache: Cache) -> None:
    """Neither the directory nor a file in it may be a link."""
    cache.write("s", 1)
    file = _file(cache)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(cache.directory)
    assert cache.read("s") is None
    assert open_cache(tmp_path / "link", schema_digest="s", root=root) is None


def test_pipe_in_the_cache_does_not_block(cache: Cache) -> None:
    """A FIFO in place of a cache file is ignored."""
    cache.write("s", 1)
    file = _file(cache)
    file.unlink()
    os.mkfifo(file, 0o600)
    assert cache.read("s") is None


def test_cache_below_the_workspace_is_refused(root: Path) -> None:
    """No cache is opened where it would change the workspace."""
    assert open_cache(root / ".cache", schema_digest="s", root=root) is None
    assert not (root / ".cache").exists()


def test_cache_depends_on_the_schemas(root: Path, cache: Cache) -> None:
    """Another schema digest sees nothing of what was kept."""
    cache.write("s", 1)
    other = open_cache(cache.directory, schema_digest="t", root=root)
    assert other is not None
    assert (other.read("s"), cache.read("s")) == (None, 1)


def test_unwritable_cache_is_harmless(root: Path, tmp_path: Path) -> None:
    """A cache directory that went away costs nothing but time."""
    assert [d.name for d in _load(root, Cache(tmp_path / "gone", "k", b"s")).documents] == ["a", "one"]


def test_results_are_remembered(root: Path, cache: Cache) -> None:
    """Diagnostics come back whole under their key only, and the newest keys are kept."""
    found = [
        Diagnostic("E1", "s", Span("f", 1, 2, 3), "d", "h", Severity.WARNING, ((Span("g", 4, 5, 6), "first here"),)),
        Diagnostic("E2", "t"),
    ]
    for number in range(caches.MAX_RESULTS + 1):
        caches.remember(cache, root, f"k{number}", found)
    assert caches.result(cache, root, "k1") == found
    assert caches.result(cache, root, "k0") is None
    assert caches.result(None, root, "k1") is None


def test_old_files_are_removed(cache: Cache) -> None:
    """The cache keeps a bounded number of files."""
    for number in range(caches.MAX_FILES + 5):
        cache.write(str(number), number)
    assert len(list(cache.directory.glob("*.cache"))) == caches.MAX_FILES


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/nhictl"),
        ({"XDG_CACHE_HOME": "c", "HOME": "/h"}, "/h/.cache/nhictl"),
    ],
)
def test_default_directory(environ: dict[str, str], expected: str) -> None:
    """The cache stands where XDG says; a relative path there does not count."""
    assert caches.default_directory(environ) == Path(expected)


def test_a_planted_file_does_not_count(cache: Cache, root: Path) -> None:
    """Contents signed with another key, or the key of another cache, are as if they were not there."""
    cache.write("slot", [1])
    assert cache.read("slot") == [1]
    assert Cache(cache.directory, cache.key, b"other").read("slot") is None
    planted = Cache(cache.directory, cache.key, b"")
    planted.write("slot", [2])
    assert cache.read("slot") is None


def test_the_key_is_private_and_stays(cache: Cache, root: Path) -> None:
    """It is random, for its owner only, and opened again; one that others could read is not used."""
    key = cache.directory / "key"
    assert (len(key.read_bytes()), key.stat().st_mode & 0o777) == (32, 0o600)
    again = open_cache(cache.directory, schema_digest="s", root=root)
    assert again is not None
    assert again.secret == cache.secret
    key.chmod(0o644)
    assert open_cache(cache.directory, schema_digest="s", root=root) is None
