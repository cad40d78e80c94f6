"""One table from Vault's replies and the connection's errors to faults.

Rules enforced here:
- every failure of a call becomes a `ProviderError` here and nowhere else;
- a message is made of method, path, status and phrases from a fixed list; a reply's free text never goes on;
- where nobody answers, the message has host and port and what went wrong there, and nothing else of the address;
- a changing call that may have reached Vault without an answer is `lost`; one that cannot have is not.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from nhictl.model import Fault, ProviderError

_STATUS = {
    400: Fault.INVALID, 401: Fault.AUTH, 403: Fault.DENIED, 404: Fault.NOT_FOUND, 405: Fault.INVALID,
    409: Fault.CONFLICT, 412: Fault.UNREACHABLE, 429: Fault.THROTTLED, 473: Fault.UNREACHABLE,
}  # fmt: skip
_NOT_DONE = ("vault is sealed", "not initialized", "standby")
_PHRASES = {
    "already in use": Fault.CONFLICT, "path is already in use": Fault.CONFLICT, "existing mount at": Fault.CONFLICT,
    "permission denied": Fault.DENIED, "rate limit": Fault.THROTTLED, "lease count quota": Fault.LIMIT,
    "error checking oidc discovery URL": Fault.INVALID, "error checking jwks URL": Fault.INVALID,
    "error creating database object": Fault.INVALID, "error verifying connection": Fault.INVALID,
    "unsupported path": Fault.INVALID, "no handler for route": Fault.NOT_FOUND, "check-and-set": Fault.CONFLICT,
    "failed to parse policy": Fault.INVALID, "entity not found": Fault.NOT_FOUND, "missing name": Fault.INVALID,
    "cidr": Fault.INVALID, "max_ttl": Fault.INVALID, "serviceaccount/ca.crt": Fault.INVALID,
    "error parsing public key": Fault.INVALID, "at least one bound constraint": Fault.INVALID,
}  # fmt: skip
_BEFORE_SEND = frozenset({"ConnectTimeout", "SSLError", "ProxyError", "InvalidURL", "InvalidSchema", "MissingSchema"})
_HINTS_OF = {
    "serviceaccount/ca.crt": "Vault runs outside the cluster and needs its authority: set `vault.caCertificate`",
    "at least one bound constraint": "name an audience, a subject or a claim",
}
_HINTS = {
    Fault.AUTH: "check VAULT_TOKEN or the target's `auth` setting; `nhictl doctor` says where credentials come from",
    Fault.DENIED: "`nhictl doctor` lists the permissions that are missing for plan and for apply",
    Fault.UNREACHABLE: "check the address, the network, and that Vault is unsealed",
}


def of_reply(status: int, said: Iterable[str], call: str, *, changing: bool, request: str = "") -> ProviderError:
    """Return a reply with an error status as a fault. `call` is method and path; `said` are Vault's error texts."""
    text = " ".join(said).lower()
    phrase = next((p for p in _PHRASES if p.lower() in text), "")
    fault = _fault(status, text, phrase, changing=changing)
    message = f"{call}: {status}" + (f" ({phrase})" if phrase else "")
    if fault is Fault.LOST:
        message += "; nobody knows whether it took effect"
    ids = (request,) if request else ()
    return ProviderError(
        fault, message, code=f"Http{status}", request_ids=ids, hint=_HINTS_OF.get(phrase) or _HINTS.get(fault, "")
    )


def _fault(status: int, text: str, phrase: str, *, changing: bool) -> Fault:
    if status == 403 and ("invalid token" in text or "bad token" in text):
        return Fault.AUTH
    if status in (400, 404, 409) and phrase:
        return _PHRASES[phrase]
    if status in _STATUS:
        return _STATUS[status]
    if status >= 500 and changing and not any(p in text for p in _NOT_DONE):
        return Fault.LOST
    return Fault.UNREACHABLE if status >= 500 or 300 <= status < 400 else Fault.INVALID


def of_connection(error: Exception, call: str, *, changing: bool, url: str = "") -> ProviderError:
    """Return an error of the connection as a fault. Of `url`, where Vault is, only host and port are told."""
    name = type(error).__name__
    names = {kind.__name__ for kind in type(error).__mro__}
    before = bool(names & _BEFORE_SEND) or _never_connected(error)
    fault = Fault.LOST if changing and not before else Fault.UNREACHABLE
    what = " ".join(part for part in (place(url), _kind(error) or name) if part)
    message = f"{call}: {what}"
    if fault is Fault.LOST:
        message = f"{call}: no answer ({what}); nobody knows whether it took effect"
    hint = _of_certificate(error) if "SSLError" in names else _HINTS.get(fault, "")
    return ProviderError(fault, message, code=name, hint=hint)


def _of_certificate(error: Exception) -> str:
    """Return what to do about TLS that failed; only which of a few things it was is taken from the text."""
    text = str(error).lower()
    if "mismatch" in text or "doesn't match" in text:
        return "the server's certificate is for another name: correct the address, or set VAULT_TLS_SERVER_NAME"
    if "expired" in text:
        return "the server's certificate has expired"
    if "certificate required" in text or "handshake failure" in text or "bad certificate" in text:
        return "the server wants a client's certificate: set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"
    if "wrong version number" in text or "record layer" in text:
        return "there is no TLS at that address and port"
    return "the server's certificate is not trusted: set VAULT_CACERT"


def place(url: str) -> str:
    """Return host and port of a URL, without user and password; empty when there is no host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return ""
    return f"{f'[{host}]' if ':' in host else host}:{port}" if host else ""


def _kind(error: Exception) -> str:
    """Return in words why a connection failed, empty when it is nothing of these."""
    within = list(_within(error, behind=True))
    # The very types: some urllib3 derive every failed connection from the one that timed out.
    names = {type(one).__name__ for one in within}
    if "ProxyError" in names:
        return "the proxy was not reached or refused"
    if "NameResolutionError" in names or any(isinstance(one, socket.gaierror) for one in within):
        return "the name is not known"
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "timed out connecting"
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return "timed out"
    if "ConnectionRefusedError" in names:
        return "the connection was refused"
    if names & {"ConnectionResetError", "RemoteDisconnected", "BrokenPipeError", "ConnectionAbortedError"}:
        return "the connection was cut"
    return "not reachable" if _never_connected(error) else ""


def _never_connected(error: Exception) -> bool:
    """True when the error says that no connection was made: nothing can have been sent."""
    never = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError")
    return any(type(one).__name__ in never for one in _within(error))


def _within(error: Exception, *, behind: bool = False) -> Iterator[BaseException]:
    """Yield an error and what it holds, each once; with `behind` also what was being handled when it was raised."""
    queue: list[object] = [error]
    seen: set[int] = set()
    while queue:
        one = queue.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            queue += [*one.args, getattr(one, "reason", None)]
            queue += [one.__cause__, one.__context__] if behind else []
