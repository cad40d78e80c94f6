"""However much is wrong with a file, what is told and what is done for it is bounded."""

import datetime as dt
from pathlib import Path

import pytest

from nhictl.manifest import limits, reader, schema, workspace
from nhictl.manifest.check import check
from nhictl.model import Diagnostic, Severity, Span

TODAY = dt.date(2026, 11, 22)
WORKSPACE = """
apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {name: shop}
spec: {environments: {prod: {vars: {region: eu}, targets: {directory: {provider: local, path: a.db}}}}}
"""
HEAD = "apiVersion: nhictl.dev/v1alpha1\n"
LABYRINTHS = {
    "40 kB of opening braces": HEAD + 'kind: NHI\nmetadata: {name: a}\nspec: {purpose: "' + "${" * 20_000 + '"}\n',
    "6,000 unknown variables": HEAD
    + 'kind: NHI\nmetadata: {name: a}\nspec: {purpose: "'
    + "".join(f"${{vars.regio{i}}}" for i in range(6_000))
    + '"}\n',
    "3,000 texts with variables": HEAD
    + "kind: NHI\nmetadata: {name: a}\nspec:\n  tags:\n"
    + "".join(f'  - "${{vars.regio{i}}}"\n' for i in range(3_000)),
    "4,500 unknown keys": HEAD
    + "kind: NHI\nmetadata: {name: a}\nspec:\n"
    + "".join(f"  purpos{i}: 1\n" for i in range(4_500)),
    "1,500 bad documents": "".join(f"kind: NHI\nx{i}: 1\n---\n" for i in range(1_500)),
    "300 documents with 10 unknown keys": "".join(
        f"{HEAD}kind: NHI\nmetadata: {{name: a{i}}}\nspec:\n"
        + "".join(f"  purpos{i}x{k}: 1\n" for k in range(10))
        + "---\n"
        for i in range(300)
    ),
    "3,000 lists": "- a\n---\n" * 2_000,
}


@pytest.fixture
def compared(monkeypatch):
    """Return the words that were compared with known names."""
    words = []

    def closest(word, *_, **__):
        words.append(word)
        return []

    monkeypatch.setattr(schema, "get_close_matches", closest)
    return words


@pytest.mark.parametrize("text", LABYRINTHS.values(), ids=LABYRINTHS.keys())
def test_what_is_told_is_bounded(text, compared):
    """At most 100 problems and one line for the rest, an error among them, and few names compared."""
    shop, _ = workspace.parse(WORKSPACE.encode(), Path("/w"))
    documents, problems = reader.parse(text.encode(), "a.yaml")
    found = check(documents, shop, TODAY, before=problems)
    assert 1 <= len(found) <= limits.PER_FILE + 1
    assert any(d.severity is Severity.ERROR for d in found)
    assert len(set(compared)) <= limits.GUESSES + 1


def test_what_is_left_out_is_counted():
    """The last line of a file says how much more is wrong, and how much was not looked at."""
    found = check(reader.parse(LABYRINTHS["4,500 unknown keys"].encode(), "a.yaml")[0], None, TODAY)
    assert [d.code for d in found].count("E201") <= limits.PER_DOCUMENT
    (rest,) = [d for d in found if d.code == "W691"]
    assert rest.summary.startswith("4,4")
    bad = check(reader.parse(LABYRINTHS["1,500 bad documents"].encode(), "a.yaml")[0], None, TODAY)
    assert "documents of this file not judged" in bad[-1].summary


def test_other_files_are_told_in_full():
    """A file full of mistakes hides nothing of another one."""
    first, _ = reader.parse(LABYRINTHS["1,500 bad documents"].encode(), "a.yaml")
    second, _ = reader.parse(b"kind: NHI\n", "b.yaml")
    found = check([*first, *second], None, TODAY)
    assert [d.code for d in found if d.span.file == "b.yaml"] == ["E208"]


def test_configuration_is_bounded_too():
    """`nhictl.yaml` is a file like any other."""
    text = WORKSPACE + "".join(f"specc{i}: 1\n" for i in range(3_000))
    assert len(workspace.parse(text.encode(), Path("/w"))[1]) == limits.PER_FILE + 1


def test_an_error_is_told_before_a_hundred_warnings():
    """Warnings cannot crowd out what makes a file unusable."""
    told = [Diagnostic("W602", "x", Span("a.yaml", n), severity=Severity.WARNING) for n in range(1, 200)]
    found = limits.capped([*told, Diagnostic("E201", "y", Span("a.yaml", 500))])
    assert [d.code for d in found if d.code != "W602"] == ["E201", "W691"]


def test_long_names_are_not_compared(compared):
    """The work grows with the product of the lengths."""
    assert (schema.near_miss("a" * 65, ["a"]), compared) == ("", [])
