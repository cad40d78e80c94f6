"""python-keycloak's connection, as a session needs it: guarded, and sending each request once.

Rules enforced here:
- without `write` every request but GET and the login is refused before it leaves;
- no redirect is followed and nothing is sent a second time: what to repeat is for the caller to decide;
- a connection without TLS goes through no proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl import __version__
from nhictl.model import Fault, ProviderError
from nhictl.providers.keycloak.errors import unanswered

_CONNECT_SECONDS, _READ_SECONDS = 10, 120


def opened(url: str, *, verify: bool | str, write: bool) -> Any:
    """Return a connection to the server at `url`. `verify` is True, or a file of certificates."""
    from keycloak import ConnectionManager

    wire = ConnectionManager(f"{url.rstrip('/')}/", headers={}, timeout=60, max_retries=0)
    wire.timeout = (_CONNECT_SECONDS, _READ_SECONDS)  # type: ignore[assignment]
    # Given to the constructor, a path would be used for a second client, which nobody here uses.
    wire.verify = verify
    sessions = wire._s
    sessions.max_redirects = 0
    # A proxy of the environment may carry TLS; plain HTTP stays on this machine.
    sessions.trust_env = url.lower().startswith("https://")
    sessions.headers["User-Agent"] = f"nhictl/{__version__}"
    for scheme in ("https://", "http://"):
        sessions.mount(scheme, _adapter(write=write))
    return wire


def _adapter(*, write: bool) -> Any:
    from requests.adapters import HTTPAdapter

    class Guard(HTTPAdapter):
        """A transport that lets only reads and logins pass."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            path = request.path_url.partition("?")[0]
            login = request.method == "POST" and path.endswith("/protocol/openid-connect/token")
            if request.method != "GET" and not login:
                what = f"{request.method} refused: this session only reads"
                raise ProviderError(Fault.READ_ONLY, what, code="ReadOnly")
            return super().send(request, *args, **kwargs)

    return (HTTPAdapter if write else Guard)(max_retries=0, pool_maxsize=16)


def post_form(wire: Any, path: str, form: Mapping[str, str]) -> tuple[int, Any]:
    """Post a login form; return status and reply. Raises ProviderError when there is no answer."""
    try:
        # With headers of its own: those of the connection are for calls with a token, in other threads.
        reply = wire._s.post(f"{wire.base_url}{path}", data=dict(form), timeout=wire.timeout, verify=wire.verify)
    except OSError as error:
        raise unanswered(error, f"POST /{path}", changing=False) from None
    try:
        return reply.status_code, reply.json()
    except ValueError:
        return reply.status_code, {}


def close(wire: Any) -> None:
    """Close the connections."""
    wire._s.close()
