"""Secrets in manifests are refused where they stand."""

from __future__ import annotations

import pytest

from nhictl.manifest.load import load

HEAD = "apiVersion: nhictl.dev/v1alpha1\nkind: NHI\nmetadata: {name: job}\nspec:\n"


def _loaded(tmp_path, text):
    path = tmp_path / "job.yaml"
    path.write_text(HEAD + text)
    return load(tmp_path, [path])


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("  password: x1", (5, 13)),
        ("  a: {b: [{apiKey: 'x1'}]}", (5, 20)),
        ("  a: https://u:p@example.com", (5, 6)),
        ("  credentials: {kind: token, value: x1}", (5, 37)),
        ("  note: |\n    -----BEGIN PRIVATE KEY-----\n    x1", (5, 9)),
    ],
)
def test_a_secret_is_refused_at_its_place(tmp_path, text, at):
    """One E210 at the value, nothing of it in the message, and the document is judged no further."""
    found = _loaded(tmp_path, text)

    assert [(d.code, (d.span.line, d.span.column)) for d in found.diagnostics] == [("E210", at)]
    assert not any("x1" in d.summary + d.hint for d in found.diagnostics)
    assert [d.sound for d in found.documents] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "  tokenTtl: 1h",
        "  token: ${vars.token}",
        "  secret: true",
        "  conditions: {StringEquals: {token.example.com:sub: job}}",
        "  credentials: {kind: password, rotateEvry: 30d, deliverToo: vault:kv/a}",
    ],
)
def test_what_only_sounds_like_a_secret_is_let_through(tmp_path, text):
    """Durations, variables, switches, conditions, and misspelt fields of `credentials` with harmless values."""
    assert _loaded(tmp_path, text).diagnostics == ()
