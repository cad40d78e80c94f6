"""What looks like a secret, by its name or by itself. One list for refusing, masking and recording.

Rules enforced here:
- a name counts only where it ends in what it says it is: `dbPassword`, `api-key`, not `tokenTtl`;
- text counts only in forms that are nothing else: user information in a URL, private keys, tokens with a prefix;
- `{{password}}` in a URL is where another program puts the password, and no secret;
- what is recognised is cut out, never shortened: a start or a length says something, too.
"""

from __future__ import annotations

import re

HIDDEN = "…"

SECRET_NAME = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|token|credentials?|(?:private|access|api|secret|signing)[-_]?key)\Z",
    re.IGNORECASE,
)
"""A key whose value is a secret, wherever it stands."""

SECRET_TEXT = re.compile(
    r"(?<=://)[^\s/?#@\"'<>]*:(?!\{\{password\}\}@(?!\S*@))[^\s/?#\"'<>]+(?=@)"
    r"|(?<=[?&;])(?:password|passwd|sslpassword|token|access_token|secret|client_secret)="
    r"(?!\{\{password\}\}(?:[\s&;#\"'<>]|\Z))[^\s&;#\"'<>]+"
    r"|\baws_(?:secret_access_key|(?:session|security)_token)[\"']?[ \t]*[=:][ \t]*[^\s,}]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[pousr]_|github_pat_)[0-9A-Za-z_]{20,}"
    r"|\b(?:glpat|glptt|gldt|glcbt)-[0-9A-Za-z_.-]{16,}"
    r"|\bhv[sbr]\.[0-9A-Za-z_-]{20,}"
    r"|\bxox[abeoprs]-[0-9A-Za-z-]{10,}"
    r"|\b[rs]k_live_[0-9A-Za-z]{16,}"
    r"|\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*",
    re.IGNORECASE | re.DOTALL,
)
"""Text that is a secret whatever it is called. Case counts for nothing: a copy in capitals is a copy."""

CREDENTIAL_KINDS = (
    "federated", "access-key", "password", "client-secret", "secret-id", "private-key", "certificate", "token",
)  # fmt: skip
"""Words that name a kind of credential: they are shown."""

HINTS = (
    "://", "password=", "passwd=", "token=", "secret=", "private key", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_",
    "ghr_", "github_pat_", "glpat-", "glptt-", "gldt-", "glcbt-", "hvs.", "hvb.", "hvr.", "xox", "k_live_", "eyj",
    "aws_se",
)  # fmt: skip
"""What every `SECRET_TEXT` has in it, in lower case and on one line."""


def named_secret(name: str) -> bool:
    """True when a key says that its value is a secret."""
    return SECRET_NAME.search(name) is not None


def hints_at_secret(lower: str) -> bool:
    """True when a text in lower case may hold a secret."""
    return any(hint in lower for hint in HINTS)


def holds_secret(text: str) -> bool:
    """True when there is a secret in `text`. Cheap where there is none."""
    return hints_at_secret(text.lower()) and SECRET_TEXT.search(text) is not None


def without_secrets(text: str) -> str:
    """Return `text` with every secret in it cut out."""
    return SECRET_TEXT.sub(HIDDEN, text) if holds_secret(text) else text
