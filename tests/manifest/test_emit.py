"""Values written as manifest text mean themselves when they are read again, and read well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nhictl.manifest.emit import literal, page
from nhictl.manifest.fmt import format_text
from nhictl.manifest.reader import parse
from nhictl.manifest.text import hidden

TEXTS = st.one_of(
    st.text("a-\"'#:|> \t\n", max_size=12),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8).filter(
        lambda text: not hidden(text)
    ),
    st.sampled_from(
        ["one\ntwo\n", "one\ntwo", "a\n\n  b\n", "a\n---\nb\n", "%YAML 1.2\nb", "${x}\ny\n", "no", "1\n2\n"]
    ),
)


def document(text: str) -> dict[str, Any]:
    spec = {"vault": {"policy": text, "list": [text, {"in": text}]}}
    return {"apiVersion": "nhictl/v1", "kind": "Role", "metadata": {"name": "a"}, "spec": spec}


@given(TEXTS)
@example('path "a/*" {\n  capabilities = ["read"]\n}\n')
def test_what_is_written_reads_as_the_same(text):
    """Whatever a text holds that a manifest may, the reader gives it back, and formatting finds nothing to do."""
    value = document(text)
    written = page(value)
    [found], problems = parse(written.encode(), "a.yaml")
    assert (found.value, problems) == (value, [])
    assert format_text(written, "a.yaml") == written


@pytest.mark.parametrize(("ended", "sign"), [("\n", "|"), ("", "|-")])
def test_lines_are_written_as_lines(ended, sign):
    """A policy is read as its author wrote it, not as one quoted string."""
    written = page(document('path "a" {\n  capabilities = ["read"]\n}' + ended))
    assert f'    policy: {sign}\n      path "a" {{\n        capabilities = ["read"]\n      }}\n' in written


@pytest.mark.parametrize(
    "text", ["a \nb", " a\nb", "a\r\nb", "a\n\n", "\na", "a\u2028\nb", "a\n\tb", "a\n\u202eb", "one\n"]
)
def test_what_lines_could_lose_is_quoted(text):
    """Spaces at ends, invisible characters and empty lines around stand between quotes."""
    assert "|" not in page(document(text))


def test_a_variable_of_others_is_none_here():
    """`${` from elsewhere is written so that it means itself, in lines as well."""
    assert literal("${a}\nb\n") == "$${a}\nb\n"
