"""Ed25519 signatures on checkpoints, when a key is configured.

Rules enforced here:
- the signed text names what it is, the workspace, the environment, the size and the root: it fits nothing else;
- a key that was configured and cannot be used is an error, never a silent fall-back to unsigned;
- trusted are the keys named by whoever verifies and the configured signer's own, never a key because the log names it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nhictl.ledger.checkpoint import Range
from nhictl.model import LedgerError, canonical

KEY_VARIABLE = "NHICTL_LEDGER_KEY"
_MISSING = "pip install cryptography"
_FORM = "an Ed25519 public key as ssh-keygen writes it (ssh-ed25519 AAAA...), or its 32 bytes in base64"
_OPENSSH = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
_MAX_KEY_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing key: its raw public half (32 bytes) and what signs with it."""

    public: bytes
    sign: Callable[[bytes], bytes]


def configured(environ: Mapping[str, str]) -> Signer | None:
    """Return the signer of the private key file that NHICTL_LEDGER_KEY names; None when it names none.

    OpenSSH and PEM files without a passphrase. Raises LedgerError when the key cannot be used.
    """
    name = environ.get(KEY_VARIABLE, "")
    if "\n" in name or name.startswith("-----"):
        hint = "keep the key in a file of its own, readable by you alone"
        raise LedgerError(f"{KEY_VARIABLE} holds a key; it must hold the name of a file", hint=hint)
    return load(Path(name)) if name else None


def load(path: Path) -> Signer:
    """Return the signer of a private key file. Raises LedgerError."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise LedgerError("signing the ledger needs the package cryptography", hint=_MISSING) from None
    try:
        text = path.read_bytes()
        openssh = text.startswith(b"-----BEGIN OPENSSH")
        read = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
        key = read(text, password=None)
    except (OSError, ValueError, TypeError) as error:
        raise LedgerError(f"the ledger key {_named(path)} cannot be used ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(f"the ledger key {_named(path)} is not an Ed25519 key", hint="ssh-keygen -t ed25519 -N ''")
    return Signer(key.public_key().public_bytes_raw(), key.sign)


def trusted(environ: Mapping[str, str], files: Iterable[Path] = ()) -> frozenset[str]:
    """Return the public keys (base64) in `files`, and that of the configured signer. Raises LedgerError."""
    signer = configured(environ)
    own = [b64encode(signer.public).decode()] if signer else []
    return frozenset([*own, *(key for path in files for key in public_keys(path))])


def public_keys(path: Path) -> list[str]:
    """Return the Ed25519 public keys (base64 of 32 bytes) of a file, one a line: OpenSSH's form, or base64 alone.

    Raises LedgerError when the file cannot be read, or any line is something else.
    """
    try:
        with path.open(encoding="ascii") as file:
            lines = [line.split() for line in file.read(_MAX_KEY_FILE).splitlines()]
        found = [_public(words) for words in lines if words and not words[0].startswith("#")]
    except (OSError, ValueError) as error:
        raise LedgerError(
            f"{_shown(path)} has no public key that can be used ({type(error).__name__})", hint=_FORM
        ) from None
    if not found:
        raise LedgerError(f"{_shown(path)} has no public key in it", hint=_FORM)
    return found


def _public(words: list[str]) -> str:
    """Return the key of a line as base64 of its 32 bytes. Raises ValueError."""
    openssh = words[0] == "ssh-ed25519"
    if not openssh and len(words) > 1:
        raise ValueError("neither OpenSSH nor base64")
    raw = b64decode(words[1] if openssh and len(words) > 1 else words[0], validate=True)
    key = raw.removeprefix(_OPENSSH) if openssh else raw
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return b64encode(key).decode()


def _named(path: Path) -> str:
    return _shown(path, f"that {KEY_VARIABLE} names")


def _shown(path: Path, otherwise: str = "what --key names") -> str:
    """Return the name of a key file where there is one: a name nobody has may be a key in the wrong place."""
    try:
        return str(path) if path.exists() else otherwise
    except (OSError, ValueError):
        return otherwise


def statement(tree: Range, *, workspace: str, environment: str) -> bytes:
    """Return the bytes a checkpoint's signature covers."""
    said = {"workspace": workspace, "environment": environment, "size": tree.size, "root": tree.root().hex()}
    return b"nhictl ledger checkpoint v1\n" + canonical(said)


def signed(signer: Signer, text: bytes) -> dict[str, str]:
    """Return the fields a signature adds to a checkpoint's data."""
    key, signature = b64encode(signer.public).decode(), b64encode(signer.sign(text)).decode()
    return {"key": key, "signature": signature}


def holds(data: Mapping[str, Any], text: bytes) -> bool | None:
    """Say whether the signature in a checkpoint's data is its key's over `text`; None when nobody can check."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(str(data["key"]), validate=True))
        key.verify(b64decode(str(data["signature"]), validate=True), text)
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True
