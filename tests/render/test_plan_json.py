"""The plan on stdout is the saved form, and harmless."""

import json
from dataclasses import replace

from nhictl import plan_file
from nhictl.render import plan_json


def test_the_json_is_a_plan_that_can_be_read(ten):
    """What is printed means what is saved."""
    assert plan_file.from_json(json.loads(plan_json.render(ten))) == ten


def test_nothing_in_it_moves_the_cursor(ten):
    """Control and bidirectional characters are JSON escapes."""
    text = plan_json.render(replace(ten, workspace="a\x1b\u202e\x7f\x9b"))
    assert text.replace("\n", "").isprintable()
    assert json.loads(text)["workspace"] == "a\x1b\u202e\x7f\x9b"
