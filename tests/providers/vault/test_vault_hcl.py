"""Policies as text: what reads alike, and what is never guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.providers.vault import hcl

PLAIN = {"kv/data/a": ("list", "read")}


@pytest.mark.parametrize(
    "text",
    [
        'path "kv/data/a" { capabilities = ["read", "list"] }',
        '# why\npath "kv/data/a" {\n  capabilities = ["list", "read",] // both\n}\n/* end */',
        'path "kv/data/a" { policy = "read" }',
        '{"path": {"kv/data/a": {"capabilities": ["read", "list"]}}}',
        'name = "old"\npath "kv/data/a" { capabilities = ["read"] }\npath "kv/data/a" { capabilities = ["list"] }',
    ],
)
def test_the_same_rules_read_alike(text: str) -> None:
    """Order, comments, JSON, the old form and a path that stands twice mean the same."""
    assert hcl.rules(text) == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        'path "a" { capabilities = ["read"] allowed_parameters = { "x" = [] } }',
        'path "a" { capabilities = ["read"] min_wrapping_ttl = "1s" }',
        'path "a" { capabilities = ["read"] control_group = { factor "x" { } } }',
        'path "a" { capabilities = <<EOT\nread\nEOT\n}',
        'path "a" { policy = "unknown" }',
        'other "a" {}',
        'path "a" {',
        "not hcl at all",
        '{"path": {"a": {"denied_parameters": {"b": []}}}}',
        '{"else": 1}',
        '{"path": [], "else": 1}',
        '{"path": {"a": {"capabilities": ["read"], "capabilities": ["sudo"]}}}',
        'path "x/${" { capabilities = ["read"] } # }" { capabilities = ["list"] } path "s/*" { policy = "sudo" }',
        '{"path": {"a/${": {"capabilities": ["read"]}, "b}": {"capabilities": ["deny"]}}}',
        'path "a\\ud83d\\ude00" { capabilities = ["read"] }',
        '{"path": {"a\\ud800": {"capabilities": ["read"]}}}',
        "[" * 100,
    ],
)
def test_what_rules_cannot_say_is_not_plain(text: str) -> None:
    """More than capabilities, and everything not understood, stays text."""
    assert hcl.rules(text) is None


def test_json_that_is_not_plain_is_compared_as_hcl() -> None:
    """A header of comments has no place in JSON, so it is written as HCL that says the same."""
    text = '{"path": {"a": {"capabilities": ["read"], "allowed_parameters": {"x": ["1"]}}}}'
    written = hcl.normal_text(text)
    assert hcl.parsed(written) == hcl.parsed(text)
    assert hcl.normal_text(written) == written


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=12).filter(hcl.sayable),
        st.sets(st.sampled_from(hcl.CAPABILITIES), min_size=1),
        max_size=5,
    )
)
def test_rules_written_read_back(rules: dict[str, set[str]]) -> None:
    """Writing and reading loses nothing."""
    sets = {path: tuple(sorted(rules[path])) for path in sorted(rules)}
    assert hcl.rules(hcl.body({"rules": sets})) == sets


@pytest.mark.parametrize(
    "text",
    [
        '{"path": {"sys/*": {"capabilities": ["sudo"]}}, "path": {"x": {"capabilities": ["read"]}}}',
        '{"path": [{"sys/*": {"capabilities": ["sudo"]}}, {"x": [{"capabilities": ["read"]}]}]}',
        '{"path": {"sys/*": {"capabilities": ["sudo"]}, "x": {}, "x": {"capabilities": ["read"]}}}',
    ],
)
def test_a_key_of_json_counts_as_often_as_it_stands_there(text: str) -> None:
    """As for Vault, which takes all of them: the last one does not hide the others."""
    assert hcl.rules(text) == {"sys/*": ("sudo",), "x": ("read",)}
