"""What looks like a secret by itself or by its name."""

from __future__ import annotations

import pytest

from nhictl.model.secret import holds_secret, named_secret, without_secrets


@pytest.mark.parametrize("name", ["password", "db-password", "dbPassword", "clientSecret", "API_KEY", "access-key"])
def test_names_that_say_secret(name):
    """A name counts by its end, in any way of writing."""
    assert named_secret(name)


@pytest.mark.parametrize("name", ["tokenTtl", "secretary", "key", "passwords-rotated", "token.example.com:sub"])
def test_names_that_only_sound_so(name):
    """Words that contain another word are not that word."""
    assert not named_secret(name)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://u:p4ss@db/x", "postgresql://…@db/x"),
        ("see https://a/b?token=abc&x=1", "see https://a/b?…&x=1"),
        ("id AKIAIOSFODNN7EXAMPLE.", "id …."),
        ("ghp_0123456789abcdefghijABCD", "…"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "…"),
        ("export AWS_SESSION_TOKEN=abc; x", "export … x"),
        ("https://example.com/a", "https://example.com/a"),
        ("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
        ("postgresql://{{username}}:{{password}}@db/x", "postgresql://{{username}}:{{password}}@db/x"),
        ("postgresql://{{username}}:{{password}}@p4ss@db/x", "postgresql://…@db/x"),
        ("postgresql://u:p4ss:{{password}}@db/x", "postgresql://…@db/x"),
        ("postgresql://db/x?user={{username}}&password={{password}}&a=b",) * 2,
        ("postgresql://db/x?password={{password}}p4ss", "postgresql://db/x?…"),
    ],
)
def test_text_that_is_a_secret_is_cut_out(text, left):
    """The secret goes, the rest of the sentence stays."""
    assert (without_secrets(text), holds_secret(text)) == (left, left != text)
