"""Explanations come from the registry and the schemas."""

import json
from pathlib import Path

from nhictl.codes import CODES
from nhictl.render import explain
from nhictl.render.text import Style

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_every_code_is_explained():
    """Title, reason and examples of each registered code are shown."""
    for topic in CODES.values():
        text = explain.code(topic, Style())
        assert text.startswith(f"{topic.code}: {topic.title}")
        assert "Refused:" in text or not topic.bad


def test_a_kind_lists_its_fields(golden):
    """Golden explanation of a field with inner fields."""
    schema = {
        "type": "object",
        "description": "Who may do what.",
        "required": ["role"],
        "properties": {
            "role": {"type": "string", "description": "Role granted.", "pattern": "^[a-z]+$"},
            "mode": {"enum": ["standing", "jit"], "default": "standing"},
            "aVeryLongFieldNameThatDoesNotFit": {"type": "array", "items": {"type": "string"}},
        },
    }
    golden("explain.txt", explain.field("NHI.spec.grants", schema, Style(width=80), resolve=lambda node: node))


def test_real_schemas_render():
    """Each published schema is explained without error."""
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text())
        text = explain.field(path.stem, schema, Style(), resolve=lambda node: node)
        assert text.isprintable() or "\n" in text
