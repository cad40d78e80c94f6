"""What a session trusts, and how it proves itself, on the wire: the variables of Vault's own client.

Rules enforced here:
- certificates are always verified: VAULT_SKIP_VERIFY is refused;
- the setting `caFile`, then VAULT_CACERT, VAULT_CACERT_BYTES, VAULT_CAPATH: the first that is set is all that is
  trusted; with none, what the system and certifi trust;
- a directory counts with all its files, whatever they are called; one that holds no certificate is an error, never
  a fall back to something else.
Source: Vault's `api` (ReadEnvironment) and OpenBao's, which reads BAO_ names before those of Vault.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError

_NO = ("", "0", "f", "false")


def variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the name and value of a variable of Vault, or of OpenBao; the value is empty where neither is set."""
    for full in (f"VAULT_{name}", f"BAO_{name}"):
        if value := environ.get(full, "").strip():
            return full, value
    return f"VAULT_{name}", ""


def context(target: Target, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the TLS context of a session. Raises ProviderError when a file of it is not there or not understood."""
    for full in ("VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"):
        if environ.get(full, "").lower() not in _NO:
            raise _wrong(f"{full} is set, and nhictl always verifies", "unset it; set VAULT_CACERT instead")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(made, target, environ)
    _prove(made, environ)
    return made


def _trust(made: ssl.SSLContext, target: Target, environ: Mapping[str, str]) -> None:
    where, value = _authorities(target, environ)
    if not value:
        import certifi

        made.load_default_certs()
        made.load_verify_locations(certifi.where())
        return
    texts = [value] if where.endswith("_BYTES") else _texts(where, Path(value))
    for text in texts:
        try:
            made.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise _wrong(f"{where}: no certificate in PEM format", "it holds those that sign Vault's") from None
    if not made.cert_store_stats()["x509"]:
        raise _wrong(f"{where}: there is no certificate", "it holds those that sign Vault's")


def _authorities(target: Target, environ: Mapping[str, str]) -> tuple[str, str]:
    if named := target.settings.get("caFile"):
        return "caFile", str(target.root / str(named))
    found = (variable(environ, name) for name in ("CACERT", "CACERT_BYTES", "CAPATH"))
    return next(((where, value) for where, value in found if value), ("", ""))


def _texts(where: str, path: Path) -> list[str]:
    try:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        return [p.read_text(encoding="ascii", errors="replace") for p in files]
    except OSError as error:
        raise _wrong(f"{where}: {path} cannot be read ({error.strerror})", "correct the path") from None


def _prove(made: ssl.SSLContext, environ: Mapping[str, str]) -> None:
    where, certificate = variable(environ, "CLIENT_CERT")
    _, key = variable(environ, "CLIENT_KEY")
    if not certificate and not key:
        return
    if not certificate or not key:
        raise _wrong("VAULT_CLIENT_CERT and VAULT_CLIENT_KEY go together", "set both, or none")
    try:
        # An empty password instead of a question: nobody may sit there.
        made.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError):
        raise _wrong(
            f"{where} and its key cannot be used", "both are PEM files without a password, and fit together"
        ) from None


def _wrong(message: str, hint: str) -> ProviderError:
    return ProviderError(Fault.AUTH, message, code="NotConnected", hint=hint)
