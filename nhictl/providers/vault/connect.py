"""Opening a session: address, TLS, credentials, and the guard that holds for everything it sends.

Rules enforced here:
- TLS unless `plainHttp` is set, and that takes loopback addresses only; certificates are always verified:
  VAULT_SKIP_VERIFY is refused;
- settings first, then Vault's own environment: VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_CAPATH,
  VAULT_CLIENT_CERT, VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME; the token from VAULT_TOKEN, then `~/.vault-token`;
- `auth` logs in instead; secret and token come from an environment variable or a file that it names, never from it;
- a token we logged in for is revoked when the session ends; redirects are not followed, a token goes to one place.
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
from nhictl.providers.vault.calls import READERS, Calls, Sleep
from nhictl.providers.vault.guard import quiet_logs, transport
from nhictl.providers.vault.mounting import loopback
from nhictl.providers.vault.mounts import secret_at
from nhictl.providers.vault.session import VaultSession

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
    url = str(settings.get("address") or environ.get("VAULT_ADDR") or environ.get("BAO_ADDR") or "").rstrip("/")
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
    if env.get("VAULT_SKIP_VERIFY", "").lower() not in ("", "0", "f", "false"):
        raise _refused("VAULT_SKIP_VERIFY is set, and nhictl always verifies", "unset it; set VAULT_CACERT instead")
    http = requests.Session()
    http.headers["User-Agent"] = f"nhictl/{__version__}"
    guarded = transport(write=write, connections=READERS, server_name=env.get("VAULT_TLS_SERVER_NAME", ""))
    for scheme in ("https://", "http://"):
        http.mount(scheme, guarded)
    # requests would otherwise take credentials for the host from ~/.netrc
    http.trust_env = False
    http.proxies.update(requests.utils.get_environ_proxies(url))
    http.verify = env.get("VAULT_CACERT") or env.get("VAULT_CAPATH") or True
    if certificate := env.get("VAULT_CLIENT_CERT"):
        key = env.get("VAULT_CLIENT_KEY")
        http.cert = (certificate, key) if key else certificate
    namespace = str(settings.get("namespace") or env.get("VAULT_NAMESPACE") or "") or None
    return hvac.Client(
        url, "", adapter=RawAdapter, session=http, namespace=namespace, timeout=_TIMEOUT, allow_redirects=False,  # type: ignore[arg-type]
        verify=http.verify, cert=http.cert,  # type: ignore[arg-type]
    )  # fmt: skip


def _token() -> tuple[str, str]:
    """Return where the token comes from, and it. Raises ProviderError when there is none."""
    for name in ("VAULT_TOKEN", "BAO_TOKEN"):
        if token := os.environ.get(name, "").strip():
            return name, token
    with suppress(OSError, ValueError, RuntimeError):
        if token := _contents(Path.home() / ".vault-token"):
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


def _contents(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
