"""Hostile manifests are refused with a code and a position, with bounded work, and leave the rest of a run alone."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from nhictl.codes import CODES
from nhictl.manifest.discover import manifest_files
from nhictl.manifest.load import load
from nhictl.manifest.reader import parse
from nhictl.model import Diagnostic
from tests.hostile.corpus import CASES, Case

LIMIT = 0.1
YARDSTICK = 0.012  # seconds that `_yardstick` takes on a quiet machine of the kind the limit is for
TRACED = 8  # how much slower the reader may be while coverage watches every line


def _yardstick() -> float:
    """Return the least CPU seconds of a fixed piece of work: how slow this machine is right now."""
    times = []
    for _ in range(3):
        start = time.process_time()
        sum(number * number % 7 for number in range(200_000))
        times.append(time.process_time() - start)
    return min(times)


@pytest.fixture(scope="module")
def limit() -> float:
    """The limit in CPU seconds, for this machine as busy as it is now."""
    watched = TRACED if sys.gettrace() is not None else 1
    return LIMIT * watched * max(1.0, _yardstick() / YARDSTICK)


def _best_cpu(data: bytes) -> float:
    """Return the least CPU seconds of three tries."""
    times = []
    for _ in range(3):
        start = time.process_time()
        parse(data, "x.yaml")
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_code_and_place(case: Case) -> None:
    """Each hostile text gets its code at its place, and every code is one that explain knows."""
    _, problems = parse(case.data, "x.yaml")
    found = [(p.span.line, p.span.column) for p in problems if p.code == case.code and p.span]
    assert case.at in found, [(p.code, str(p.span), p.summary) for p in problems]
    assert {p.code for p in problems} <= CODES.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_bounded_work(case: Case, limit: float) -> None:
    """Each hostile text is judged within 100 ms of CPU on a quiet machine."""
    assert _best_cpu(case.data) < limit


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_hostile_is_sound(case: Case) -> None:
    """No document with a refused part passes as sound, and no message carries a hidden character."""
    found, problems = parse(case.data, "x.yaml")
    assert [d for d in found if d.sound] == [] or case.name.endswith("documents")
    for problem in problems:
        assert f"{problem.summary}{problem.detail}{problem.hint}".isprintable()


# The pure parser takes a surrogate for a character; it is refused as a value then.
SMALL = [case for case in CASES if len(case.data) < 20_000 and case.name != "surrogate by escape"]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_refused_without_libyaml_too(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pure Python parser behind the same rules refuses the same texts with the same code."""
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    _, problems = parse(case.data, "x.yaml")
    assert case.code in {p.code for p in problems}


def test_there_are_enough_cases() -> None:
    """The corpus has at least 60 different texts."""
    assert len({case.data for case in CASES}) >= 60


def _found(root: Path, entry: str = "manifests") -> list[Diagnostic]:
    paths, problems = manifest_files(root, [entry])
    return problems + list(load(root, paths).diagnostics)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A workspace root with one good manifest."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "good.yaml").write_text("kind: Owner\nmetadata: {name: a}\n")
    return tmp_path


def test_link_to_a_file_outside_is_refused(tree: Path) -> None:
    """A link to a file that is not below the root is an error at the link, and its target is never read."""
    (tree / "manifests" / "x.yaml").symlink_to("/etc/passwd")
    assert [(p.code, str(p.span)) for p in _found(tree)] == [("E132", "manifests/x.yaml:1:1")]


def test_link_to_a_directory_outside_is_refused(tree: Path) -> None:
    """A link to the file system's root is refused and not walked."""
    (tree / "manifests" / "all").symlink_to("/")
    assert [(p.code, str(p.span)) for p in _found(tree)] == [("E132", "manifests/all:1:1")]


def test_link_to_a_sibling_with_the_same_prefix_is_outside(tree: Path) -> None:
    """`/w-evil` is not below `/w`."""
    evil = tree.parent / f"{tree.name}-evil"
    evil.mkdir()
    (evil / "x.yaml").write_text("kind: Owner\n")
    (tree / "manifests" / "x.yaml").symlink_to(evil / "x.yaml")
    assert [p.code for p in _found(tree)] == ["E132"]


def test_directory_loop_ends(tree: Path) -> None:
    """Links back up the tree are followed once; each file is found once."""
    (tree / "manifests" / "up").symlink_to(tree / "manifests")
    (tree / "manifests" / "top").symlink_to(tree)
    paths, problems = manifest_files(tree, ["manifests"])
    assert ([p.name for p in paths], problems) == (["good.yaml"], [])


def test_link_loop_is_refused(tree: Path) -> None:
    """Links that lead to each other only are an error, not an endless search."""
    (tree / "manifests" / "a.yaml").symlink_to("b.yaml")
    (tree / "manifests" / "b.yaml").symlink_to("a.yaml")
    assert [(p.code, str(p.span)) for p in _found(tree)] == [
        ("E131", "manifests/a.yaml:1:1"),
        ("E131", "manifests/b.yaml:1:1"),
    ]


def test_dangling_link_is_refused(tree: Path) -> None:
    """A link to nothing is an error: what it declared would silently be gone."""
    (tree / "manifests" / "x.yaml").symlink_to("gone.yaml")
    assert [p.code for p in _found(tree)] == ["E130"]


def test_pipe_is_refused_without_blocking(tree: Path) -> None:
    """A FIFO in the tree is an error and is never opened for reading."""
    os.mkfifo(tree / "manifests" / "x.yaml")
    assert [(p.code, str(p.span)) for p in _found(tree)] == [("E133", "manifests/x.yaml:1:1")]


def test_pipe_put_there_after_the_search_is_refused(tree: Path) -> None:
    """Loading a path that has become a FIFO does not block."""
    os.mkfifo(tree / "manifests" / "x.yaml")
    assert [p.code for p in load(tree, [tree / "manifests" / "x.yaml"]).diagnostics] == ["E133"]


def test_link_put_there_after_the_search_is_refused(tree: Path) -> None:
    """Loading a path that has become a link does not follow it."""
    (tree / "manifests" / "x.yaml").symlink_to("/etc/passwd")
    assert [p.code for p in load(tree, [tree / "manifests" / "x.yaml"]).diagnostics] == ["E131"]


def test_device_is_refused(tree: Path) -> None:
    """A path that is a device is never read."""
    assert [p.code for p in load(tree, [Path("/dev/zero")]).diagnostics] == ["E133"]


def test_socket_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket in the tree is an error."""
    monkeypatch.chdir(tree / "manifests")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("x.yaml")
        assert [p.code for p in _found(tree)] == ["E133"]


def test_directory_named_like_a_manifest_is_walked(tree: Path) -> None:
    """`x.yaml/` is a directory like any other."""
    (tree / "manifests" / "x.yaml").mkdir()
    (tree / "manifests" / "x.yaml" / "y.yml").write_text("kind: Role\n")
    assert [p.name for p in manifest_files(tree, ["manifests"])[0]] == ["good.yaml", "y.yml"]


@pytest.mark.parametrize("name", ["a\nb.yaml", "a\u202eb.yaml", "a\x1b[31m.yaml", b"a\xff.yaml"])
def test_file_name_that_cannot_be_shown_is_refused(tree: Path, name: str | bytes) -> None:
    """A file name with hidden characters is an error whose text is printable."""
    os.close(os.open(os.fsencode(tree / "manifests") + b"/" + os.fsencode(name), os.O_CREAT, 0o600))
    (problem,) = _found(tree)
    assert problem.code == "E136"
    assert str(problem.span).isprintable()


@pytest.mark.parametrize(
    ("entry", "code"),
    [("gone", "E130"), ("..", "E132"), ("/etc", "E132"), ("README.md", "E135"), ("empty", "E134"), ("a\0b", "E130")],
)
def test_entry_that_leads_nowhere_is_refused(tree: Path, entry: str, code: str) -> None:
    """A wrong entry is an error, never an empty workspace."""
    (tree / "empty").mkdir()
    (tree / "README.md").write_text("x")
    paths, problems = manifest_files(tree, [entry])
    assert (paths, [p.code for p in problems]) == ([], [code])
