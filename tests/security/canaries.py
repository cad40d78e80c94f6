"""Canaries: values that stand for secrets, and the search for them in every form in which they could get out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

NAMES = (
    "label", "unknown-field", "credentials-block", "configuration", "issuer-url", "ledger-url", "key-in-list",
    "private-key-of-owner", "policy-file", "saml-metadata", "aws-secret-key", "aws-session-token", "github-token",
    "ci-job-token", "nhictl-variable", "command-line", "credentials-file", "credential-process", "git-remote",
    "event-payload", "ledger-key", "provider-reply", "provider-error", "live-tag", "foreign-column", "foreign-json",
    "server-url", "defect", "neighbour-file", "multi-line",
)  # fmt: skip


def canary(name: str) -> str:
    """Return the canary that is planted at one place: no word, no known form of a secret, one of its kind."""
    number = NAMES.index(name)
    return f"cN{number:02}Zk{'Qw7Xe4Vb9Tj2Hr5'[number % 5 :][:9]}Lm{number * 7919 % 9973:04}Yp"


def forms(secret: str) -> Iterator[bytes]:
    """Yield what a secret looks like: plain, in capitals, quoted for URLs and JSON, in hexadecimal and base64."""
    raw = secret.encode()
    yield from (raw, raw.upper(), raw.lower(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode())
    yield from (raw.hex().encode(), raw.hex().upper().encode(), raw[::-1])
    for skipped in range(3):
        whole = (len(raw) - skipped) // 3 * 3
        yield base64.b64encode(raw[skipped : skipped + whole])
        yield base64.urlsafe_b64encode(raw[skipped : skipped + whole])


def found(secrets: Iterable[tuple[str, str]], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return where a secret is in the texts, as `name of the canary in name of the text`."""
    needles = [(name, form) for name, secret in secrets for form in set(forms(secret))]
    return sorted({f"{name} in {where}" for where, text in texts for name, form in needles if form in text})
