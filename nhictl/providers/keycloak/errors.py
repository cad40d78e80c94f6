"""One table from Keycloak's replies and the connection's errors to faults.

Rules enforced here:
- every failure of a call becomes a `ProviderError` here and nowhere else;
- a message is made of method, path and status; of a reply only error codes of OAuth 2.0 go on, never its text;
- a changing call that may have reached the server without an answer is `lost`; one that cannot have is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl.model import Fault, ProviderError

STATUS: Mapping[int, Fault] = {
    400: Fault.INVALID,
    401: Fault.AUTH,
    403: Fault.DENIED,
    404: Fault.NOT_FOUND,
    405: Fault.INVALID,
    409: Fault.CONFLICT,
    413: Fault.LIMIT,
    429: Fault.THROTTLED,
}
"""Statuses of replies to calls that are known not to have taken effect."""

OAUTH = frozenset(
    {
        "invalid_client", "unauthorized_client", "invalid_grant", "invalid_request", "unsupported_grant_type",
        "invalid_scope", "access_denied", "invalid_token",
    }
)  # fmt: skip
_NOT_SENT = frozenset(
    {"ConnectTimeout", "NewConnectionError", "SSLError", "ProxyError", "NameResolutionError", "ConnectTimeoutError"}
)
_HINTS = {
    Fault.AUTH: "check the client, its secret or key and the realm; `nhictl doctor` shows who logs in",
    Fault.DENIED: "`nhictl doctor` lists the roles of realm-management that are missing for plan and for apply",
    Fault.UNREACHABLE: "check `url`, the network and the proxy",
}
_TLS_HINT = "name its certificate authority in `caFile`, REQUESTS_CA_BUNDLE or SSL_CERT_FILE"


def refused(status: int, what: str, *, changing: bool, request_id: str = "") -> ProviderError:
    """Return a reply's status as a fault. `what` is method and path."""
    fault = STATUS.get(status)
    if fault is None:
        fault = (Fault.LOST if changing else Fault.UNREACHABLE) if status >= 500 else Fault.INVALID
    message = f"{what}: status {status}" + ("; nobody knows whether it took effect" if fault is Fault.LOST else "")
    ids = (request_id,) if request_id else ()
    return ProviderError(fault, message, code=str(status), request_ids=ids, hint=_HINTS.get(fault, ""))


def unanswered(error: BaseException, what: str, *, changing: bool) -> ProviderError:
    """Return an error of the connection as a fault, or the `ProviderError` that is behind it."""
    chain = list(_chain(error))
    known = next((e for e in chain if isinstance(e, ProviderError)), None)
    if known is not None:
        return known
    kinds = {base.__name__ for one in chain for base in type(one).__mro__}
    name = type(chain[1] if len(chain) > 1 else error).__name__
    if "SSLError" in kinds or "SSLCertVerificationError" in kinds:
        return ProviderError(
            Fault.UNREACHABLE, f"{what}: the server's certificate is refused", code=name, hint=_TLS_HINT
        )
    if "TooManyRedirects" in kinds:
        return ProviderError(
            Fault.INVALID, f"{what}: the server leads elsewhere", code=name, hint="set the `url` it leads to"
        )
    sent = not kinds & _NOT_SENT
    fault = Fault.LOST if changing and sent else Fault.UNREACHABLE
    end = "; nobody knows whether it took effect" if fault is Fault.LOST else ""
    return ProviderError(fault, f"{what}: no answer ({name}){end}", code=name, hint=_HINTS.get(fault, ""))


def not_logged_in(status: int, body: Any, realm: str) -> ProviderError:
    """Return a refusal of the token endpoint."""
    said = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    code = said if said in OAUTH else str(status)
    fault = Fault.AUTH if status in (400, 401, 403, 404) else STATUS.get(status, Fault.UNREACHABLE)
    return ProviderError(fault, f"cannot log in to realm {realm}: {code}", code=code, hint=_HINTS.get(fault, ""))


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        inner = [a for a in error.args if isinstance(a, BaseException)]
        reason = getattr(inner[0], "reason", None) if inner else None
        found += [e for e in (*inner, reason) if isinstance(e, BaseException)]
        error = error.__cause__ or error.__context__
    return found
