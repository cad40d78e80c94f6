"""Opening a session: address, TLS, credentials, and the guard that holds for everything it sends.

Rules enforced here:
- TLS unless `plainHttp` is set, and that takes loopback addresses only; what is trusted is said in `tls`;
- settings first, then Vault's own environment: VAULT_ADDR, VAULT_NAMESPACE, VAULT_TLS_SERVER_NAME; the token from
  VAULT_TOKEN, then `~/.vault-token`; each also as OpenBao calls it, BAO_ADDR and so on;
- `auth` logs in instead; secret and token come from an environment variable or a file that it names, never from it;
- a token we logged in for is revoked when the session ends; redirects are not followed, a token goes to one place:
  a proxy only ever carries TLS.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nhictl import __version__
from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.vault import tls
from nhictl.providers.vault.calls import READERS, Calls, Sleep
from nhictl.providers.vault.guard import quiet_logs, transport
from nhictl.providers.vault.mounting import loopback
from nhictl.providers.vault.mounts import secret_at
from nhictl.providers.vault.session import VaultSession
from nhictl.providers.vault.tls import variable

_TIMEOUT = (10, 60)
_KUBERNETES_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@contextmanager
def session(target: Target, *, write: bool, sleep: Sleep | None = None) -> Iterator[VaultSession]:
    """Open a session to a target's Vault. Raises ProviderError when there is no usable address or token."""
    quiet_logs()
    client = _client(target, write=write)
    calls = Calls(client, sleep or time.sleep, random.SystemRandom().random)
    logged_in = False
    try:
        auth = target.settings.get("auth")
        if auth:
            method = f"login by {next(iter(auth))}"
            client.token = _login(calls, auth)
            logged_in = True
        else:
            method, client.token = _token()
        namespace = str(client.adapter.namespace or "")
        yield VaultSession(target, calls, namespace=namespace, method=method, write=write)
    finally:
        if logged_in:
            with suppress(ProviderError):
                calls.ask("auth/token/revoke-self", {})
        client.adapter.close()


def address_of(settings: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Return the address of Vault. Raises ProviderError when there is none, or it is not reached over TLS."""
    url = str(settings.get("address") or variable(environ, "ADDR")[1]).rstrip("/")
    parts = urlsplit(url)
    if not url or not parts.hostname or parts.username or parts.password:
        raise _refused("no address of Vault", "set `address` of the target, or VAULT_ADDR")
    if parts.scheme == "https":
        return url
    plain = settings.get("plainHttp") is True
    if parts.scheme != "http" or not plain or not loopback(url):
        why = "plain HTTP leads to another machine" if plain else "the address is not reached over TLS"
        raise _refused(why, "use https://; `plainHttp: true` is for tests and takes loopback addresses only")
    return url


def _refused(message: str, hint: str) -> ProviderError:
    return ProviderError(Fault.AUTH, message, code="NotConnected", hint=hint)


def _client(target: Target, *, write: bool) -> Any:
    import hvac
    import requests
    from hvac.adapters import RawAdapter

    env, settings = os.environ, target.settings
    url = address_of(settings, env)
    http = requests.Session()
    http.headers["User-Agent"] = f"nhictl/{__version__}"
    server_name = variable(env, "TLS_SERVER_NAME")[1]
    guarded = transport(write=write, connections=READERS, tls=tls.context(target, env), server_name=server_name)
    for scheme in ("https://", "http://"):
        http.mount(scheme, guarded)
    # requests would otherwise take credentials for the host from ~/.netrc
    http.trust_env = False
    if url.startswith("https://"):
        http.proxies.update(requests.utils.get_environ_proxies(url))
    namespace = str(settings.get("namespace") or variable(env, "NAMESPACE")[1]) or None
    return hvac.Client(
        url, "", adapter=RawAdapter, session=http, namespace=namespace, timeout=_TIMEOUT, allow_redirects=False,  # type: ignore[arg-type]
    )  # fmt: skip


def _token() -> tuple[str, str]:
    """Return where the token comes from, and it. Raises ProviderError when there is none."""
    name, token = variable(os.environ, "TOKEN")
    if token:
        return name, token
    with suppress(OSError, ValueError, RuntimeError):
        if token := (Path.home() / ".vault-token").read_text(encoding="utf-8").strip():
            return "~/.vault-token", token
    raise _refused("no token for Vault", "set VAULT_TOKEN, run `vault login`, or set `auth` of the target")


def _login(calls: Calls, auth: Mapping[str, Any]) -> str:
    kind, data = next(iter(auth.items()))
    mount = str(data.get("mount", kind)).strip("/")
    body: dict[str, Any] = {}
    if kind == "approle":
        body = {"role_id": _from(data["roleIdFrom"])}
        if "secretIdFrom" in data:
            body["secret_id"] = _from(data["secretIdFrom"])
    else:
        default = {"kubernetes": f"file:{_KUBERNETES_FILE}"}.get(kind, "")
        body = {"role": str(data["role"]), "jwt": _from(str(data.get("tokenFrom", default)))}
    try:
        reply = calls.login(f"auth/{mount}/login", body)
    except ProviderError as error:
        raise ProviderError(Fault.AUTH, error.message, code=error.code, hint="check the `auth` setting") from None
    token = (reply.get("auth") or {}).get("client_token")
    if not token:
        raise _refused(f"auth/{mount}/login gave no token", "check the `auth` setting")
    return str(token)


def _from(place: str) -> str:
    """Return the secret at `env:NAME` or `file:/path`. Raises ProviderError; the value is in no message."""
    try:
        return secret_at(place)
    except ProviderError as error:
        raise _refused(error.message, "the `auth` setting names env:NAME or file:/path") from None
