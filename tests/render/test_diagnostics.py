"""Diagnostics show the place, the line and the way out, in every format."""

import json
from dataclasses import replace

import pytest

from nhictl.model import Diagnostic, Severity, Span
from nhictl.render import diagnostics, gitlab
from nhictl.render.text import Style

SOURCES = {
    "manifests/nhi.yaml": [
        "kind: NHI",
        "metadata:",
        "\tname: 決済\u202e-ci  # wide",
        "  ownr: payments and " + "x" * 200 + " tail here",
        "spec: {}",
    ]
}
FOUND = [
    Diagnostic("W6X1", "the name is hard to read", Span("manifests/nhi.yaml", 3, 8, 2), severity=Severity.WARNING),
    Diagnostic(
        "E2X1",
        "unknown field `ownr`",
        Span("manifests/nhi.yaml", 4, 3, 4),
        "NHI has no such field",
        "did you mean `owner`?",
        related=((Span("manifests/nhi.yaml", 1, 7, 3), "the kind"), (Span("gone.yaml", 9, 1), "also")),
    ),
    Diagnostic("E2X9", "late in a long line", Span("manifests/nhi.yaml", 4, 220, 4)),
    Diagnostic("E1X0", "no position\x1b[2J"),
]
PLAIN = Style(width=80)


def _render(fmt: str, style: Style = PLAIN) -> str:
    return diagnostics.render(FOUND, fmt=fmt, sources=SOURCES.get, style=style)


@pytest.mark.parametrize("fmt", diagnostics.FORMATS)
def test_each_format_is_as_published(fmt: str, golden):
    """Golden output of every format."""
    golden(f"diagnostics-{fmt}.txt", _render(fmt))


@pytest.mark.parametrize("fmt", diagnostics.FORMATS)
def test_no_format_lets_control_characters_through(fmt: str):
    """Source lines and messages are shown, not obeyed."""
    assert _render(fmt).replace("\n", "").isprintable()


def test_carets_stand_under_wide_characters():
    """Behind a tab and wide characters the carets take as many columns as what they mark."""
    lines = _render("full").split("\n")
    source = next(i for i, line in enumerate(lines) if line.startswith("3 |"))
    start = lines[source].index("決")
    assert lines[source + 1] == "  |" + " " * (start - 3) + "^^^^"


def test_carets_mark_the_text_in_a_cut_line():
    """A long line is cut around the place."""
    lines = _render("full").split("\n")
    block = lines[lines.index("E2X9 late in a long line") :]
    marked = next(i for i, line in enumerate(block) if "^" in line)
    at = block[marked].index("^")
    assert block[marked - 1][at : at + 4] == SOURCES["manifests/nhi.yaml"][3][219:223]
    assert all(len(line) <= 80 for line in block)


def test_colour_adds_nothing_but_colour():
    """Without the escapes the coloured text is the plain one."""
    import re

    colored = _render("full", replace(PLAIN, color=True))
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == _render("full")


def test_a_place_outside_the_file_is_still_named():
    """A file that is gone, or shorter than the position, gives no snippet and no error."""
    one = [Diagnostic("E1", "x", Span("f", 99, 1))]
    assert diagnostics.render(one, fmt="full", sources=lambda _: ["a"], style=PLAIN) == "E1 x\n   --> f:99:1"


def test_none_at_all_is_valid_in_every_format():
    """No diagnostics: no text for people, empty reports for machines."""
    texts = {f: diagnostics.render([], fmt=f, sources=SOURCES.get, style=PLAIN) for f in diagnostics.FORMATS}
    assert [texts[f] for f in ("full", "concise", "github")] == ["", "", ""]
    assert (
        json.loads(texts["json"])
        == json.loads(texts["gitlab"])
        == json.loads(texts["sarif"])["runs"][0]["results"]
        == []
    )


def test_the_summary_counts_by_severity():
    """The closing line says how many of what."""
    assert diagnostics.summary(FOUND) == "Found 3 errors, 1 warning."
    assert diagnostics.summary([]) == "Found no problems."


def test_fingerprints_survive_a_move_and_tell_twins_apart():
    """A finding keeps its identity when its line moves; two equal findings have two."""
    moved = [replace(d, span=replace(d.span, line=d.span.line + 7) if d.span else None) for d in FOUND]
    assert list(gitlab.fingerprints(moved)) == list(gitlab.fingerprints(FOUND))
    assert len(set(gitlab.fingerprints([*FOUND, *FOUND]))) == 2 * len(FOUND)


def test_sarif_has_the_shape_of_2_1_0():
    """What the OASIS schema requires and GitHub reads: version, driver, rules, results with indices and regions."""
    log = json.loads(_render("sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "nhictl"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        for place in result.get("locations", []):
            region = place["physicalLocation"]["region"]
            assert region["endColumn"] > region["startColumn"] >= 1
            assert not place["physicalLocation"]["artifactLocation"]["uri"].startswith("/")


def test_an_annotation_cannot_start_another_command():
    """A message with line feeds and colons stays one workflow command."""
    bad = [Diagnostic("E1", "x\n::error::y", Span("a,b:c.yaml", 1, 1), hint="100%")]
    text = diagnostics.render(bad, fmt="github", sources=SOURCES.get, style=PLAIN)
    assert text.count("\n") == 0
    assert text.startswith("::error file=a%2Cb%3Ac.yaml,line=1,")
    assert text.endswith("help: 100%25")
