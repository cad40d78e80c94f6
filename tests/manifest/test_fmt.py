"""Formatting keeps every value and every comment, and has one layout."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhictl.manifest.fmt import format_text, laid_out
from nhictl.manifest.fmt_comments import layout
from nhictl.model import InvalidManifests

WORDS = ["payments", "no", "yes", "0755", "1:20", "2024-01-01", "~", "null", "a b", "x: y", "# hash", "é ü", "{a}",
         "it's", 'say "hi"', "back\\slash", "line one\nline two\n", "keep\n\n\n", "  lead\n more\n", "*star", "&and",
         "!tag", "- dash", "? ask", "%percent", "@at", "", " ", "tab\tin", "end\\", "long " * 30, "${vars.region}",
         "1.5", "true", "True", "=", "<<", "a\n\nb", "\n", "x \n y", "a" * 130]  # fmt: skip
KEYS = ["apiVersion", "kind", "metadata", "spec", "name", "owner", "zeta", "a b", "yes", "1", "x:y", "#k", "'q'"]

scalars = st.one_of(
    st.sampled_from(WORDS), st.integers(-99, 10**12), st.booleans(), st.none(), st.text("ab #:'\"\\\n-", max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=20,
)
roots = st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=5)


class _Styled(yaml.SafeDumper):
    """Writes each node in a style of its own."""

    chance: random.Random


def _text(dumper: _Styled, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, dumper.chance.choice(["", "'", '"', "|", ">"]))


def _mapping(dumper: _Styled, value: dict[str, Any]) -> yaml.Node:
    flow = dumper.chance.random() < 0.3
    return dumper.represent_mapping("tag:yaml.org,2002:map", list(value.items()), flow_style=flow)


def _list(dumper: _Styled, value: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=dumper.chance.random() < 0.3)


_Styled.add_representer(str, _text)
_Styled.add_representer(dict, _mapping)
_Styled.add_representer(list, _list)
_Styled.ignore_aliases = lambda self, data: True  # type: ignore[method-assign,assignment]


def written(documents: list[Any], chance: random.Random) -> str:
    """Return the text of documents in random styles, indents and widths."""

    class Styled(_Styled):
        pass

    Styled.chance = chance
    return yaml.dump_all(
        documents,
        Dumper=Styled,
        indent=chance.choice([2, 3, 4, 7]),
        width=chance.choice([10, 40, 80, 1000]),
        allow_unicode=True,
        explicit_start=True if len(documents) > 1 else chance.random() < 0.3,
        explicit_end=chance.random() < 0.2,
        sort_keys=False,
    )


def plain_values(text: str) -> list[Any]:
    """Return what the pure Python parser reads, every scalar as text with its style: independent of the formatter."""

    def value(node: yaml.Node | None) -> Any:
        if node is None:
            return None
        if isinstance(node, yaml.MappingNode):
            return {value(key): value(item) for key, item in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [value(item) for item in node.value]
        empty = not node.style and node.value in {"", "~", "null", "Null", "NULL"}
        return (bool(node.style), "null" if empty else node.value)

    return [value(node) for node in yaml.compose_all(text, Loader=yaml.SafeLoader)]


def commented(text: str, chance: random.Random, *, tries: int) -> tuple[str, list[str]]:
    """Return `text` with comments and empty lines put where they change no value, and the comments."""
    meant, added = plain_values(text), []
    for number in range(tries):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        comment = f"# c{number} " + chance.choice(["", "a: b", "- x", "'", "| >", "# two", "{"])
        kind = chance.random()
        if kind < 0.5 and "# c" in lines[at]:
            continue
        if kind < 0.4 and lines[at].strip():
            lines[at] += " " * chance.randrange(1, 4) + comment
        elif kind < 0.5 and (places := [i for i, c in enumerate(lines[at]) if c in " ,:[{-"]):
            place = chance.choice(places) + 1
            lines[at] = lines[at][:place] + " " + comment + "\n" + " " * chance.randrange(1, 9) + lines[at][place:]
        else:
            lines.insert(at, "" if kind > 0.85 else " " * chance.randrange(7) + comment)
        attempt = "\n".join(lines)
        try:
            same = plain_values(attempt) == meant
        except yaml.YAMLError:
            continue
        if same:
            text = attempt
            added += [] if kind > 0.85 else [comment.rstrip()]
    return text, added


SCHEMAS = {
    "": {"properties": {"zeta": {}, "name": {"properties": {"owner": {}, "apiVersion": {}}}}},
}


def _texts(result: str) -> Counter[str]:
    return Counter(comment.text for comment in layout(result).comments)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(roots, min_size=1, max_size=3), st.integers(0, 2**32))
def test_round_trip(documents, seed):
    """Random documents in random styles with comments at random places: values, comments and a second run agree."""
    chance = random.Random(seed)
    text, added = commented(written(documents, chance), chance, tries=chance.randrange(12))

    result = laid_out(text, SCHEMAS)

    assert plain_values(result) == plain_values(text)
    assert _texts(result) == Counter(added)
    assert laid_out(result, SCHEMAS) == result
    assert not any(line != line.rstrip() for line in result.split("\n") if line.lstrip().startswith("#"))


def _formatted(text: str) -> str:
    result = format_text(text, "x.yaml")
    assert format_text(result, "x.yaml") == result
    return result


MANIFEST = """\
# yaml-language-server: $schema=https://nhictl.dev/schemas/v1alpha1/nhi.json
# The deployer of payments.

# what it is
kind: NHI
spec:
    grants:
    - {via:   'github-to-aws',  role: payments-deployer}   # the only grant
    # - {role: admin}
    purpose: >-
        Deploys payments
        from CI
    owner: 'payments'    # 24/7
    type: workload


    # how it proves itself
    identity: {githubActions: {repository: example/payments}}
    # foot of spec
metadata: {labels: {zz: "1", aa: "2"}, name: payments-ci}
apiVersion: nhictl.dev/v1alpha1
"""

EXPECTED = """\
# yaml-language-server: $schema=https://nhictl.dev/schemas/v1alpha1/nhi.json
# The deployer of payments.

apiVersion: nhictl.dev/v1alpha1
# what it is
kind: NHI
metadata: {name: payments-ci, labels: {zz: "1", aa: "2"}}
spec:
  type: workload
  owner: "payments"  # 24/7
  purpose: >-
    Deploys payments
    from CI

  # how it proves itself
  identity: {githubActions: {repository: example/payments}}
  grants:
    - {role: payments-deployer, via: "github-to-aws"}  # the only grant
    # - {role: admin}
  # foot of spec
"""


def test_manifest_in_canonical_order():
    """Keys follow the schema, free labels keep their order, each comment moves with its node."""
    assert _formatted(MANIFEST) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: A\r\nspec: 1\r\n", "kind: A\nspec: 1\n"),
        ("kind: A", "kind: A\n"),
        ("---\nkind: A\n---\nkind: B\n...\n# end\n", "kind: A\n---\nkind: B\n# end\n"),
        ("# only a comment", "# only a comment\n"),
        ("", ""),
        ("kind: A\n\n\n\nspec: 1\n\n\n", "kind: A\n\nspec: 1\n"),
        ("kind: A\nspec: 'it''s'\n", 'kind: A\nspec: "it\'s"\n'),
        ("kind: A\nspec: 'say \"hi\"'\n", "kind: A\nspec: 'say \"hi\"'\n"),
        ("kind: A\nspec: 'a\\b'\n", "kind: A\nspec: 'a\\b'\n"),
        ('kind: A\nspec: ["1", 1, no, "no", 2024-01-01]\n', 'kind: A\nspec: ["1", 1, no, "no", 2024-01-01]\n'),
        ("kind: A\nspec: {a: [], b: {}}\n", "kind: A\nspec: {a: [], b: {}}\n"),
        ("kind: A\nspec: [one, # first\n  two]\n", "kind: A\nspec:\n  - one  # first\n  - two\n"),
        ("kind: A\nspec: [ # none\n]\n", "kind: A\n# none\nspec: []\n"),
        (
            "kind: A\nspec: |+  # kept\n    x\n\n\n# next\nzz: 1\n",
            "kind: A\nspec: |+  # kept\n  x\n\n\n# next\nzz: 1\n",
        ),
        ("kind: A\nspec: |\n    x", "kind: A\nspec: |-\n  x\n"),
        ("kind: A\nspec: |2\n    x\n", "kind: A\nspec: |2\n    x\n"),
        ("? kind\n: A\n", "kind: A\n"),
        (
            "kind: A\nspec:\n- - a\n  # inner\n  - b\n# outer\n",
            "kind: A\nspec:\n  - - a\n    # inner\n    - b\n# outer\n",
        ),
        ("# c\n# yaml-language-server: $schema=x\nkind: A\n", "# yaml-language-server: $schema=x\n# c\nkind: A\n"),
    ],
)
def test_layout(text, expected):
    """Small texts and the one layout they have."""
    assert _formatted(text) == expected


def test_flow_breaks_at_the_width():
    """A flow list that does not fit into 120 columns becomes a block."""
    fits, too_long = ["x" * 50, "y" * 60], ["x" * 50, "y" * 70]

    assert _formatted(f"kind: A\nspec: [{', '.join(fits)}]\n").count("\n") == 2
    assert _formatted(f"kind: A\nspec: [{', '.join(too_long)}]\n") == (
        f"kind: A\nspec:\n  - {too_long[0]}\n  - {too_long[1]}\n"
    )


def test_heading_keeps_the_order():
    """A comment apart from the key below it is a heading: the keys of that mapping stay where they are."""
    text = "kind: NHI\nspec:\n  owner: a\n\n  # --- what ---\n\n  type: workload\n"

    assert _formatted(text) == text


@pytest.mark.parametrize(
    "text",
    ["kind: &a A\n", "kind: A\nkind: B\n", "a: [", "kind: !!str A\n", "%YAML 1.2\n---\nkind: A\n", "\tkind: A\n"],
)
def test_refused(text):
    """Text outside the subset is refused with a diagnostic that has a position."""
    with pytest.raises(InvalidManifests) as caught:
        format_text(text, "bad.yaml")

    assert all(found.span and found.span.file == "bad.yaml" for found in caught.value.diagnostics)


def test_refuses_a_layout_that_loses_something(monkeypatch):
    """When the written text would lose a comment, nothing is given out."""
    monkeypatch.setattr("nhictl.manifest.fmt.write", lambda _pages, _rest: "kind: A\n")

    with pytest.raises(InvalidManifests, match="1 problems"):
        format_text("kind: A # lost\n", "x.yaml")
    with pytest.raises(InvalidManifests):
        format_text("kind: B\n", "x.yaml")
