"""What of a command line goes into the record."""

from __future__ import annotations

import pytest

from nhictl.cli.typed import recorded


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["apply", "--yes", "plan.json"], "nhictl apply --yes plan.json"),
        (["apply", "-e", "prod", "--expect-digest", "x"], "nhictl apply -e --expect-digest"),
        (["ledger", "lock", "break", "--reason=x"], "nhictl ledger lock break --reason"),
        (["plan", "-eprod", "https://u:p@host/x"], "nhictl plan -e https://…@host/x"),
    ],
)
def test_names_and_operands_are_kept_and_values_are_not(words, kept):
    """Both spellings of an option lose the value; a flag takes none."""
    assert recorded(words) == kept
