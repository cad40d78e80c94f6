"""Opening a session: where the server is, how it is trusted, and who we are.

Rules enforced here:
- TLS is on and checked; `http://` needs `plainHttp` and a loopback address, and the refusal says so;
- what a setting does not say comes from the environment: KEYCLOAK_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID;
- without `write` nothing but reads and logins can leave.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.keycloak.login import credentials
from nhictl.providers.keycloak.session import KeycloakSession
from nhictl.providers.keycloak.transport import close, opened
from nhictl.providers.keycloak.wire import Calls


@contextmanager
def session(target: Target, *, write: bool) -> Iterator[KeycloakSession]:
    """Open a session to a target's realm. Raises ProviderError when settings or credentials are missing."""
    settings = {**target.settings}
    url = address(settings, os.environ)
    realm = str(settings.get("realm") or os.environ.get("KEYCLOAK_REALM", ""))
    if not realm:
        raise ProviderError(Fault.INVALID, f"{target.name}: which realm?", hint="set `realm` or KEYCLOAK_REALM")
    who = credentials(settings, os.environ, target.root)
    wire = opened(url, verify=_trusted(target, settings), write=write)
    try:
        yield KeycloakSession(target, realm, Calls(wire, realm, who.log_in, write=write), who)
    finally:
        close(wire)


def address(settings: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Return the server's URL. Raises ProviderError for a plain connection that is not allowed."""
    url = str(settings.get("url") or env.get("KEYCLOAK_URL", ""))
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProviderError(Fault.INVALID, "where is Keycloak?", hint="set `url` or KEYCLOAK_URL to https://HOST")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ProviderError(Fault.INVALID, "the server's URL has more than host, port and path in it")
    if parts.scheme == "http" and not (settings.get("plainHttp") is True and _loopback(parts.hostname)):
        raise ProviderError(
            Fault.INVALID, "a connection to Keycloak without TLS is refused: it would show every secret on the way",
            code="PlainHttp", hint="use https://; `plainHttp: true` allows it for a loopback address only",
        )  # fmt: skip
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trusted(target: Target, settings: Mapping[str, Any]) -> bool | str:
    """Return what verifies the server: a file of certificates, or the system's own choice."""
    named = settings.get("caFile")
    path = str(target.root / str(named)) if named else ""
    path = path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or ""
    if path and not os.path.exists(path):  # noqa: PTH110
        raise ProviderError(Fault.INVALID, "the file of trusted certificates does not exist", hint="see `caFile`")
    return path or True
