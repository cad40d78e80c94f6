"""Explanations come from the registry and the schemas."""

import pytest

from nhictl.codes import CODES
from nhictl.manifest.explain import explain as look_up
from nhictl.manifest.schema_files import KINDS
from nhictl.render.explain import render
from nhictl.render.text import Style


def test_every_code_is_explained():
    """Title, reason and examples of each registered code are shown."""
    for topic in CODES.values():
        text = render(topic, Style())
        assert text.startswith(f"{topic.code}: {topic.title}")
        assert "Refused:" in text or not topic.bad


def test_a_kind_lists_its_fields(golden):
    """Golden explanation of a field with inner fields."""
    golden("explain.txt", render(look_up("NHI.spec.grants"), Style(width=80)))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_explained_with_its_fields(kind):
    """A kind's explanation names its description and its parts."""
    text = render(look_up(kind), Style())
    assert "spec" in text
    assert "\x1b" not in text
