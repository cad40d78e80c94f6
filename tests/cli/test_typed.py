"""What of a command line goes into the record."""

from __future__ import annotations

import pytest

from nhictl.cli.typed import recorded

DIGEST = "sha256:" + "0a" * 32
TOKEN = "ghp_" + "a" * 36


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["apply", "--yes", "plan.json"], "nhictl apply --yes plan.json"),
        (["apply", "-e", "prod", "--target=nhi/x"], "nhictl apply -e prod --target=nhi/x"),
        (["plan", "-eprod", "https://u:p@host/x"], "nhictl plan -e prod https://…@host/x"),
        (["apply", "-yqe", "prod", "-vv"], "nhictl apply -y -q -e prod -v -v"),
        (["apply", "--expect-digest", DIGEST], f"nhictl apply --expect-digest {DIGEST}"),
        (["plan", "-l", "tier=high,zone=eu", "-o", "json"], "nhictl plan -l tier=high,zone=eu -o json"),
    ],
)
def test_what_says_where_what_and_how_is_kept(words, kept):
    """Operands, flags, and the values of options without secrets, in every spelling."""
    assert recorded(words) == kept


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["ledger", "lock", "break", "--reason=x"], "nhictl ledger lock break --reason=…"),
        (["ledger", "lock", "break", "--reason", "x"], "nhictl ledger lock break --reason …"),
        (["apply", "-C", "/home/ada"], "nhictl apply -C …"),
        (
            ["apply", "--expect-digest", "x", "--override-safety=y"],
            "nhictl apply --expect-digest … --override-safety=…",
        ),
        (["apply", "-e", TOKEN, "-l", "password=x"], "nhictl apply -e … -l …"),
        (["show", "--", TOKEN, "-x"], "nhictl show -- … -x"),
        (["apply", "-e"], "nhictl apply -e"),
    ],
)
def test_every_other_value_is_cut_out(words, kept):
    """Values of other options, texts that look like secrets and digests that are none."""
    assert recorded(words) == kept
