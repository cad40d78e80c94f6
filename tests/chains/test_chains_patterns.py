"""Patterns of actions and resources, against every short text there is."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.chains.patterns import Rules, action, contains, listed, meets, rank, resource

GLOB, PATH = Rules(), Rules("path")
TEXTS = ["".join(t) for n in range(5) for t in itertools.product("ab/", repeat=n)]
globs = st.text("ab*?", max_size=5)
paths = st.lists(st.sampled_from(["a", "b", "ab", "+"]), min_size=1, max_size=3).map("/".join)
paths = st.builds(lambda p, star: p + star, paths, st.sampled_from(["", "*", "/*"]))


def stands(pattern: str, text: str, style: str) -> bool:
    """Say by a regular expression whether a text is one of a pattern's."""
    if pattern.startswith("not:"):
        return not any(stands(part, text, style) for part in listed(pattern))
    if style == "path":
        head, star = (pattern[:-1], ".*") if pattern.endswith("*") else (pattern, "")
        body = "/".join("[^/]+" if s == "+" else re.escape(s) for s in head.split("/"))
        return re.fullmatch(body + star, text) is not None
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), text) is not None


def sets(one: str, style: str) -> set[str]:
    """Return the short texts a pattern stands for."""
    return {text for text in TEXTS if stands(one, text, style)}


negations = st.builds(lambda items: "not:" + ",".join(items), st.lists(globs.filter(bool), min_size=1, max_size=2))


@given(st.one_of(globs, negations), st.one_of(globs, negations))
def test_globs_meet_and_contain_as_their_texts_do(one: str, other: str):
    """No common text is missed, and nothing is contained that is not."""
    a, b = resource(one, GLOB), resource(other, GLOB)
    here, there = sets(one, "glob"), sets(other, "glob")
    assert meets(a, b) or not here & there
    assert not contains(a, b) or there <= here
    assert meets(a, b) == meets(b, a)


@given(paths, paths)
def test_paths_meet_and_contain_as_their_texts_do(one: str, other: str):
    """The star stands at the end, a plus is a segment."""
    a, b = resource(one, PATH), resource(other, PATH)
    here, there = sets(one, "path"), sets(other, "path")
    assert meets(a, b) or not here & there
    assert not contains(a, b) or there <= here


@given(st.one_of(globs, negations), st.text("ab/", max_size=4))
def test_for_a_plain_text_both_are_exact(pattern: str, text: str):
    """Who can do one thing has one answer."""
    wide, asked = resource(pattern, GLOB), resource(text, GLOB)
    assert meets(wide, asked) == contains(wide, asked) == stands(pattern, text, "glob")


@given(paths, st.text("ab/", max_size=4))
def test_for_a_plain_path_both_are_exact(pattern: str, text: str):
    """Of a provider with paths, too."""
    wide, asked = resource(pattern, PATH), resource(text, PATH)
    assert meets(wide, asked) == contains(wide, asked) == stands(pattern, text, "path")


@pytest.mark.parametrize(
    ("wide", "narrow"), [("*", "a*b"), ("a*", "ab*"), ("a*b", "a?b"), ("?", "?"), ("a*c", "ab*bc")]
)
def test_wider_patterns_contain_narrower_ones(wide: str, narrow: str):
    """What an administrator would say at a glance is found."""
    assert contains(resource(wide, GLOB), resource(narrow, GLOB))


def test_actions_ignore_case_where_the_provider_does():
    """Resources never do."""
    rules = Rules(ignore_case=True)
    assert meets(action("S3:Get*", rules), action("s3:getobject", rules))
    assert not meets(action("S3:Get*", GLOB), action("s3:getobject", GLOB))
    assert not meets(resource("A", rules), resource("a", rules))


def test_variables_stand_for_anything_and_are_not_certain():
    """Escapes of AWS are the sign itself."""
    found = resource("home/${aws:username}/x", GLOB)
    assert meets(found, resource("home/ann/x", GLOB))
    assert not found.certain
    star = resource("a${*}", GLOB)
    assert star.certain
    assert not meets(star, resource("ab", GLOB))


@pytest.mark.parametrize("text", ["kv/ann/x", "kv/a/b/x", "kv//x", "kv/a/x/x"])
def test_templates_of_paths_stand_for_any_text_and_are_not_certain(text: str):
    """Metadata of an identity may have slashes; what is not known contains nothing."""
    found = resource("kv/{{identity.entity.metadata.team}}/x", PATH)
    assert meets(found, resource(text, PATH))
    assert not contains(found, resource(text, PATH))
    assert not found.certain


@pytest.mark.parametrize("pattern", ["kv/{{a}}", "kv/{{a", "kv/{{a}}/+", "kv/+/{{a}}*", "{{a}}"])
def test_a_template_may_become_a_star_at_the_end(pattern: str):
    """Vault fills it in before it looks for a star."""
    assert meets(resource(pattern, PATH), resource("kv/b/c", PATH))


def test_commas_of_a_name_do_not_cut_a_negation():
    """One excluded resource stays one."""
    assert listed(r"not:a\,b,c\\d") == ["a,b", r"c\d"]
    but = resource(r"not:a\,b", GLOB)
    assert meets(but, resource("a", GLOB))
    assert not meets(but, resource("a,b", GLOB))


def test_the_more_specific_path_ranks_higher():
    """The order of Vault's documentation on policies."""
    ordered = ["*", "secret/*", "secret/+/teamb", "secret/foo*", "secret/foo/+", "secret/foo/bar*", "secret/foo/bar"]
    assert sorted(ordered, key=rank) == ordered


def test_hostile_patterns_take_no_longer_than_their_length_allows():
    """No backtracking: this would take years."""
    pattern, text = "a*" * 500 + "b", "a" * 20000
    assert not meets(resource(pattern, GLOB), resource(text, GLOB))
