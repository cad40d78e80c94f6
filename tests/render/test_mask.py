"""What of a source line may be seen."""

from __future__ import annotations

import pytest

from nhictl.render.mask import cut, hidden, masked, moved


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: x1 # why", "password: …"),
        ('"client_secret":"x1"', '"client_secret":…'),
        ("labels: {team: a, db-password: x1}", "labels: {team: a, db-password: …"),
        ("url: https://bot:x1@example.com/a", "url: https://…@example.com/a"),
        ("credentials: {kind: token, value: x1, maxTtl: 1h}", "credentials: {kind: token, value: …, maxTtl: 1h}"),
        ("credentials:\n  - x1", "credentials:\n  …"),
        ('secret: "x\n  1"\nname: a', "secret: …\n  …\nname: a"),
        ("k: |\n  -----BEGIN PRIVATE KEY-----\n  x1\n  -----END PRIVATE KEY-----\nn: a", "k: |\n  …\n  …\n  …\nn: a"),
        ("tokenTtl: 1h", "tokenTtl: 1h"),
        ("kind: password", "kind: password"),
        ("StringEquals: {token.example.com:sub: a}", "StringEquals: {token.example.com:sub: a}"),
    ],
)
def test_values_that_could_be_secrets_are_cut_out(text, shown):
    """By key, by form, and over several lines; names of kinds, durations and conditions stay."""
    assert "\n".join(masked(text.split("\n"))) == shown


def test_a_caret_follows_what_is_left_of_its_line():
    """A place behind a cut moves with the text; one inside is at the dots."""
    line = "a: {password_hint: {apiKey: x1}}"
    ranges = hidden([line], 1)

    assert cut(line, ranges)[moved(line.index("x1"), ranges)] == "…"
    assert [moved(offset, [(2, 6)]) for offset in (1, 2, 4, 6, 8)] == [1, 2, 2, 3, 5]
