"""A plan as JSON on stdout: the saved form (schemas/plan.json), indented, harmless on a terminal."""

from __future__ import annotations

from nhictl.model import Plan
from nhictl.plan_file import to_json
from nhictl.render.safe import json_text


def render(plan: Plan) -> str:
    """Return the plan as JSON text without a final line feed."""
    return json_text(to_json(plan))
