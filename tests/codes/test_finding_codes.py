"""Every word a plan uses for what stands in the way is explained."""

import re
from pathlib import Path

from nhictl.codes import CODES, WORDS
from nhictl.manifest.explain import explain
from nhictl.render.explain import render
from nhictl.render.text import Style

PACKAGE = Path(__file__).parents[2] / "nhictl"
RULE = re.compile(r"\b(?:Finding|blocked)\(\s*\"([a-z-]+)\"")


def test_every_rule_of_a_plan_is_a_topic_and_every_topic_a_rule():
    """What the deciding modules say is in the registry, and nothing else."""
    sources = [module.read_text() for module in PACKAGE.glob("*.py")]
    assert {rule for source in sources for rule in RULE.findall(source)} == set(WORDS)
    assert not set(WORDS) & {code.lower() for code in CODES}


def test_a_word_is_explained_with_why_and_the_way_out():
    """In any case of letters."""
    for word in WORDS.values():
        text = render(explain(word.word.upper()), Style(width=80))
        assert text.startswith(f"{word.word}: {word.title}")
        assert "Way out:" in text
