"""The reader keeps values, finds positions, and its fast twin agrees with it."""

from __future__ import annotations

import math
import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nhictl.codes.yaml_codes import ROWS
from nhictl.manifest import quick, text
from nhictl.manifest.reader import parse
from nhictl.manifest.survey import survey
from nhictl.manifest.text import hidden
from nhictl.model import Severity

_text = st.text(max_size=20).filter(lambda s: not hidden(s))
_names = _text.filter(lambda s: s != "<<")
_numbers = st.integers(-(2**53) + 1, 2**53 - 1)
_scalars = st.none() | st.booleans() | _numbers | st.floats(allow_nan=False, allow_infinity=False) | _text
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4), max_leaves=20
)
_documents = st.dictionaries(_names, _values, min_size=1, max_size=5)


class _Plain(yaml.SafeDumper):
    """Write without anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_CORE = re.compile(
    r"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


def _quoted(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quote text that means something else in YAML 1.2; PyYAML itself quotes by 1.1, where `1e3` is text."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="'" if _CORE.fullmatch(value) else None)


_Plain.add_representer(str, _quoted)


def _core(value: object) -> bool:
    """True when PyYAML 1.1 and the core schema agree on every float in `value` as written (`1e+20` is none there)."""
    if isinstance(value, float):
        return "e" not in repr(value)
    if isinstance(value, dict):
        return all(map(_core, value.values()))
    return not isinstance(value, list) or all(map(_core, value))


@given(_documents.filter(_core), st.booleans(), st.booleans())
@example({"a": "0E0", "b": "1e3", "0o7": ["0x1F", "1e999", "+1e1", ".5e1"]}, False, True)
@settings(deadline=None)
def test_values_survive_writing_and_reading(document: dict[str, object], flow: bool, wide: bool) -> None:
    """What PyYAML writes of plain data reads back the same, whatever the style."""
    written = yaml.dump(document, Dumper=_Plain, default_flow_style=flow, allow_unicode=wide, sort_keys=False)
    if any(c in written for c in "\t\r") or "\n%" in written:
        return
    found, problems = parse(written.encode(), "x.yaml")
    assert (problems, [d.value for d in found]) == ([], [document])


@given(st.binary(max_size=300))
@example(b"? a\n: b\n--- c\n...\n%")
@example(b'"\\UFFFFFFFF"')
@settings(max_examples=1_000, deadline=None)
def test_any_bytes_are_judged(data: bytes) -> None:
    """No bytes make the reader raise, and what is not read says why, in this file, in source order."""
    found, problems = parse(data, "x.yaml")
    assert found or problems
    assert all(p.span and p.span.file == "x.yaml" and p.span.line >= 1 and p.span.column >= 1 for p in problems)
    assert problems == sorted(problems, key=lambda p: p.sort_key)


_pieces = st.sampled_from(
    ["a", "b", "c1", ": ", ":", "\n", "\n  ", "\n    ", "- ", "\n- ", "\n  - ", "{a: 1}", "{", "}", "[", "]", "[a, b]",
     ", ", '"', "'", '"x y"', "# c", " # c", "|\n", ">\n", "&x ", "*x", "!t ", "<<", "1", "0755", "1.5", ".5", "true",
     "no", "~", "null", "---", "\n---\n", "...", "? ", "%", "\\n", "\\u202e", "${v}", " ", "  ", "\t", "é", "\u200b",
     "a b", "x:y", "http://h/p", "{a: x:y, b: 'q'}", "[a@b, s3:Get*]", "\nk: v", "\n  k: v", "\nk:", "\r\n"]
)  # fmt: skip
_mutations = st.lists(_pieces, max_size=30).map("".join)


@given(_mutations)
@settings(max_examples=2_000, deadline=None)
def test_mutations_are_judged(written: str) -> None:
    """No arrangement of YAML's own pieces makes the reader raise."""
    found, problems = parse(written.encode(), "x.yaml")
    assert found or problems


_keys = st.sampled_from(["a", "b", "c.d/e", "spec", "no", "true", "kind"])
_inline = st.sampled_from(
    ["x", "x y", "x  y", "1", "007", "1.5", "true", "",
     "''", "'a b'", '"q"', '"\\n"', "{a: 1}", "{a: b, c: d}", "[]", "{}",
     "[x, y z]", "[a:b]", "{a: {b: c}}", "{a: b:c}", "{a: 1, a: 2}", "x:y", "a: b", "x # c", "x#c", "$v", "${v}",
     "/p", "-x", "2024-01-01",
     "é", "[a, [b]]", "{a: }", "x]", "x, y", "[a - b]", "{true: x}", "[x ]", "{ a: b }", ".x", "a::b", "[a?]",
     "{a: [x, y], b: {c: 'd'}}", "[[a], {b: c}]", "[[a]", "{a: {}, a: []}", "[{a: b},{c: d}]"]
)  # fmt: skip
_line = st.builds(
    lambda indent, dash, key, value, tail: (
        " " * indent + dash + (key + (": " + value).rstrip() if key else value) + tail
    ),
    st.sampled_from([0, 0, 2, 2, 4, 6, 3]),
    st.sampled_from(["", "", "- ", "-  "]),
    st.one_of(_keys, _keys, st.just("")),
    _inline,
    st.sampled_from(["", "", " ", " # c", "# c"]),
)
_plain = st.lists(_line | st.sampled_from(["---", "", "# c", "  # c"]), max_size=8).map("\n".join)


@given(_plain)
@settings(max_examples=3_000, deadline=None)
def test_quick_agrees_with_survey(written: str) -> None:
    """Whatever the fast reader accepts, the thorough one accepts with the same values of the same types."""
    decoded = text.decode(written.encode(), "x.yaml")
    fast = None if decoded.problems else quick.values(decoded.characters)
    if fast is None:
        return
    slow = survey(decoded.characters, "x.yaml")
    assert slow.problems == []
    assert repr([value for value, _ in fast]) == repr([d.value for d in slow.documents])
    assert all(variables is ("${" in str(value)) for value, variables in fast)


def test_quick_takes_ordinary_manifests() -> None:
    """The manifests people write take the fast way."""
    assert quick.values(ORDINARY) is not None


ORDINARY = (
    """\
# yaml-language-server: $schema=../schemas/nhi.json
apiVersion: nhictl.dev/v1alpha1
kind: NHI
metadata: {name: payments-ci, labels: {}}
""".replace("labels: {}", "adopted: 2024-01-01")
    + """\
spec:
  type: workload                         # service-account
  purpose: "Deploy: payments"
  environments: [prod, staging]
  identity:
    githubActions:
      environment: ${env.name}
  grants:
    - {role: payments-deployer, via: github-to-aws}
    - role: ledger-readonly
      mode: jit
  members:
  - name: ä
"""
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_positions(end: str) -> None:
    """Keys, items and scalars have their place; a path that is not there has its nearest parent's."""
    (document,), problems = parse(ORDINARY.replace("\n", end).encode(), "m/x.yaml")
    assert problems == []
    spots = {
        (): (2, 1, 1),
        ("kind",): (3, 7, 3),
        ("metadata", "name"): (4, 18, 11),
        ("spec",): (5, 1, 4),
        ("spec", "purpose"): (7, 12, 18),
        ("spec", "environments", 1): (8, 24, 7),
        ("spec", "grants", 0): (13, 7, 45),
        ("spec", "grants", 1, "mode"): (15, 13, 3),
        ("spec", "grants", 1, "gone", "deeper"): (14, 7, 1),
        ("spec", "members", 0, "name"): (17, 11, 1),
    }
    spans = {path: document.span(*path) for path in spots}
    assert {path: (s.line, s.column) for path, s in spans.items()} == {p: s[:2] for p, s in spots.items()}
    assert spans[("metadata", "name")].width == 11
    assert document.positions[("metadata", "name")] == (4, 12, 4)


@pytest.mark.parametrize(
    "written",
    ["metadata: {name: ab}\n", "kind: X\nmetadata: { name: 'ab', labels: {}}\n", 'metadata:\n    name: "ab"  # c\n',
     "metadata:\r\n  name: ab\r\n", "metadata:\n  labels: {name: x}\n  name: ab\n", "metadata: {name: 'ab'}\nä: 1\n",
     "metadata:\n  # c\n  name: ab\n", "a: {metadata: {name: x}}\nmetadata: {x: 1, name: ab}\n",
     "---\nmetadata: {name: ab}",
     "a: |\n  metadata: {name: ab}\nmetadata:\n  name: ab\n",
     "a: 'x\n\nmetadata: {name: ab}'\n'metadata': {name: ab}\n",
     "metadata: {name: a}\n---\nmetadata: {name: ab}\n"],
)  # fmt: skip
def test_name_is_found_quickly_where_survey_finds_it(written: str) -> None:
    """The short cut to the position of the name gives what the thorough reader gives."""
    document = parse(written.encode(), "x.yaml")[0][-1]
    slow = survey(written, "x.yaml").documents[-1].value_positions[("metadata", "name")]
    assert document.value_positions[("metadata", "name")] == slow


def test_every_problem_of_a_file_is_told() -> None:
    """Problems of different kinds and documents come together, in source order."""
    written = "a: &x 1\na: 2\nb: *x\nc: !t y\n---\nd: [1\n---\n1: e\n"
    found, problems = parse(written.encode(), "x.yaml")
    assert [(p.code, p.span.line) for p in problems if p.span] == [
        ("E113", 1), ("E112", 2), ("E114", 3), ("E116", 4), ("E110", 6), ("E117", 8),
    ]  # fmt: skip
    assert [d.sound for d in found] == [False] * len(found)


def test_duplicate_names_both_places() -> None:
    """The second key is the problem, the first is related."""
    _, (problem,) = parse(b"a:\n  b: 1\n  b: 2\n", "x.yaml")
    ((first, label),) = problem.related
    assert (str(problem.span), str(first), label) == ("x.yaml:3:3", "x.yaml:2:3", "first here")


def test_first_value_of_a_duplicate_is_kept() -> None:
    """The value that is kept is the first, and the document is not sound."""
    (document,), _ = parse(b"a: 1\na: {b: 2}\n", "x.yaml")
    assert (document.value, document.sound) == ({"a": 1}, False)


def test_broken_document_still_counts() -> None:
    """A document that breaks off keeps what was read, so that others may refer to it."""
    (document,), _ = parse(b"kind: Role\nmetadata: {name: r}\nspec: [1\n", "x.yaml")
    assert (document.ref, document.sound) == ("role/r", False)


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("0755", "0755"), ("1:20", "1:20"), ("2024-01-01", "2024-01-01"), ("012345678901", "012345678901"),
     ("True", True), ("NULL", None), ("", None), ("0o17", 15), ("0x1F", 31), ("-0", 0), ("+12", 12), ("1_000", "1_000"),
     ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("0b1", "0b1"), ("y", "y"), ("=", "="), ("1.2.3", "1.2.3")],
)  # fmt: skip
def test_core_scalars(written: str, value: object) -> None:
    """Plain scalars mean what the core schema says, and what would lose information stays a string."""
    (document,), _ = parse(f"a: {written}\n".encode(), "x.yaml")
    assert repr(document.value["a"]) == repr(value)


def test_kind_and_name_are_taken_as_found() -> None:
    """Where kind or name are absent or no strings, the document has them empty, for the schemas to report."""
    found, problems = parse(b"metadata: {name: 1}\n---\nkind: [x]\nmetadata: y\n", "x.yaml")
    assert (problems, [(d.kind, d.name) for d in found]) == ([], [("", ""), ("", "")])


def test_variables_are_noticed() -> None:
    """A variable in a value counts, also behind an escape; in a comment it does not."""
    written = b'a: ${env.name}\n---\na: "\\x24{v}"\n---\na: [{b: "${x}"}]\n---\na: 1 # ${no}\n'
    assert [d.has_variables for d in parse(written, "x.yaml")[0]] == [True, True, True, False]


@pytest.mark.parametrize("written", ["", "# c\n", "---\n", "---\n---\n# c\n", "\n\n"])
def test_empty_file_is_a_warning(written: str) -> None:
    """A file that declares nothing is said to, without failing the run."""
    found, (problem,) = parse(written.encode(), "x.yaml")
    assert (found, problem.code, problem.severity) == ([], "W690", Severity.WARNING)


@pytest.mark.parametrize(
    "row", [r for r in ROWS if "E104" <= r.code <= "E121" and r.code != "E119"], ids=lambda r: r.code
)
def test_registered_examples_hold(row: object) -> None:
    """The example that fails gives its code, the one that passes gives nothing."""
    bad, good = parse(row.bad.encode(), "x.yaml")[1], parse(row.good.encode(), "x.yaml")[1]
    assert (row.code in {p.code for p in bad}, good) == (True, [])


def test_infinity_is_not_kept() -> None:
    """No value is ever infinite or NaN."""
    (document,), _ = parse(b"a: .inf\nb: 1.5\n", "x.yaml")
    assert document.value == {"a": None, "b": 1.5}
    assert not math.isinf(document.value["b"])
