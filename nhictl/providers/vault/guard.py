"""What may leave a read-only session, and what its libraries may log.

Rules enforced here:
- below everything else, in the transport: only GET, LIST and the few POSTs that read are let through;
- a login makes a token of our own and changes nothing that is managed; the token is taken back when the session ends;
- the libraries' debug logs stay off: urllib3 logs addresses and paths.
"""

from __future__ import annotations

import logging
import re
import ssl
from typing import Any
from urllib.parse import urlsplit

from nhictl.model import Fault, ProviderError

_READING = re.compile(
    r"(sys/capabilities(-self)?|identity/lookup/(entity|group)|auth/(?:(?!role/)[^/]+/)+login|auth/token/revoke-self"
    r"|auth/.+/role/[^/]+/secret-id-accessor/lookup)\Z"
)
_NOISY = ("urllib3", "requests", "hvac")


def reads(method: str, url: str) -> bool:
    """True when a request changes nothing that is managed."""
    if method.upper() in ("GET", "LIST", "HEAD"):
        return True
    return method.upper() == "POST" and _READING.match(urlsplit(url).path.partition("/v1/")[2]) is not None


def transport(*, write: bool, connections: int, tls: ssl.SSLContext, server_name: str = "") -> Any:
    """Return the adapter of a requests session that lets through what the session may send, to whom `tls` trusts."""
    from requests.adapters import HTTPAdapter

    wire: dict[str, Any] = {"ssl_context": tls}
    if server_name:
        wire |= {"server_hostname": server_name, "assert_hostname": server_name}

    class Guarded(HTTPAdapter):
        """Refuse a changing request before it leaves."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
            return super().init_poolmanager(*args, **(kwargs | wire))

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            return super().proxy_manager_for(proxy, **(kwargs | wire))

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """Leave the context as it is: requests would have it trust its own authorities as well."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            if not write and not reads(request.method, request.url):
                path = urlsplit(request.url).path.removeprefix("/v1/")
                raise ProviderError(
                    Fault.READ_ONLY, f"{request.method} {path} refused: this session only reads", code="ReadOnly"
                )
            return super().send(request, *args, **kwargs)

    return Guarded(pool_connections=1, pool_maxsize=connections, max_retries=0)


def quiet_logs() -> None:
    """Keep the HTTP libraries from logging requests, whatever level the process asked for."""
    for name in _NOISY:
        logger = logging.getLogger(name)
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
