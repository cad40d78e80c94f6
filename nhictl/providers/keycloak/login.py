"""Who nhictl is at a realm, and how it gets its tokens.

Rules enforced here:
- secrets come from the environment, a private key from a file; none of them is a setting, none is kept or printed;
- the first that is there counts: KEYCLOAK_TOKEN, a private key, a client secret, KEYCLOAK_USERNAME with its password;
- the claims of an access token are read to say who we are; nothing is decided by them that the server does not check.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nhictl.model import Fault, ProviderError
from nhictl.providers.keycloak.errors import not_logged_in
from nhictl.providers.keycloak.transport import post_form

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to log in with. `method` says which kind it is and where it comes from."""

    realm: str
    client: str
    method: str
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    key: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)

    def log_in(self, wire: Any) -> tuple[str, float]:
        """Return an access token and for how many seconds it is good. Raises ProviderError when refused."""
        if self.token:
            return self.token, float("inf")
        path = f"realms/{quote(self.realm, safe='')}"
        form = self._form(wire, path)
        status, body = post_form(wire, f"{path}/protocol/openid-connect/token", form)
        if status != 200 or not isinstance(body, Mapping) or "access_token" not in body:
            raise not_logged_in(status, body, self.realm)
        return str(body["access_token"]), float(body.get("expires_in") or 60)

    def _form(self, wire: Any, path: str) -> dict[str, str]:
        form = {"client_id": self.client}
        if self.username:
            form |= {"grant_type": "password", "username": self.username, "password": self.password}
            return form | ({"client_secret": self.secret} if self.secret else {})
        form["grant_type"] = "client_credentials"
        if self.key is None:
            return form | {"client_secret": self.secret}
        return form | {"client_assertion_type": _ASSERTION, "client_assertion": self._assertion(wire, path)}

    def _assertion(self, wire: Any, path: str) -> str:
        """Return a signed assertion for the realm's issuer (RFC 7523)."""
        from jwcrypto.common import JWException  # type: ignore[import-untyped]
        from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
        from jwcrypto.jwt import JWT  # type: ignore[import-untyped]

        now = int(time.time())
        claims = {
            "iss": self.client, "sub": self.client, "aud": issuer(wire, path), "jti": str(uuid.uuid4()),
            "iat": now, "exp": now + _ASSERTION_SECONDS,
        }  # fmt: skip
        assert self.key is not None
        try:
            key = JWK.from_pem(self.key.read_bytes())
            algorithm = {"EC": "ES256", "OKP": "EdDSA"}.get(str(key.get("kty")), "RS256")
            token = JWT(header={"alg": algorithm, "typ": "JWT", "kid": key.thumbprint()}, claims=claims)
            token.make_signed_token(key)
        except (OSError, ValueError, JWException) as error:
            raise ProviderError(
                Fault.AUTH, f"the private key in `keyFile` cannot be used ({type(error).__name__})", code="BadKey"
            ) from None
        return str(token.serialize())


def credentials(settings: Mapping[str, Any], env: Mapping[str, str], root: Path) -> Credentials:
    """Return what the settings and the environment give. Raises ProviderError when there is nothing to log in with."""
    realm = str(settings.get("authRealm") or settings.get("realm") or env.get("KEYCLOAK_REALM", ""))
    client = str(settings.get("clientId") or env.get("KEYCLOAK_CLIENT_ID", ""))
    named = str(settings.get("secretVariable") or "KEYCLOAK_CLIENT_SECRET")
    secret, key = env.get(named, ""), settings.get("keyFile")
    if env.get("KEYCLOAK_TOKEN"):
        return Credentials(realm, client, "token from KEYCLOAK_TOKEN", token=env["KEYCLOAK_TOKEN"])
    if key and client:
        return Credentials(realm, client, "private key from keyFile", key=root / str(key))
    if secret and client and not env.get("KEYCLOAK_USERNAME"):
        return Credentials(realm, client, f"client secret from {named}", secret=secret)
    if env.get("KEYCLOAK_USERNAME") and env.get("KEYCLOAK_PASSWORD"):
        return Credentials(
            realm, client or "admin-cli", "password from KEYCLOAK_USERNAME and KEYCLOAK_PASSWORD", secret=secret,
            username=env["KEYCLOAK_USERNAME"], password=env["KEYCLOAK_PASSWORD"],
        )  # fmt: skip
    hint = f"set `clientId` and {named}, `keyFile`, KEYCLOAK_USERNAME with KEYCLOAK_PASSWORD, or KEYCLOAK_TOKEN"
    raise ProviderError(Fault.AUTH, "there is nothing to log in to Keycloak with", code="NoCredentials", hint=hint)


def issuer(wire: Any, path: str) -> str:
    """Return what a realm calls itself. Raises ProviderError when it cannot be asked."""
    from keycloak.exceptions import KeycloakConnectionError

    from nhictl.providers.keycloak.errors import refused, unanswered

    where = f"{path}/.well-known/openid-configuration"
    try:
        reply = wire.raw_get(where)
        if reply.status_code != 200:
            raise refused(reply.status_code, f"GET /{where}", changing=False)
        return str(reply.json()["issuer"])
    except KeycloakConnectionError as error:
        raise unanswered(error, f"GET /{where}", changing=False) from None
    except (ValueError, KeyError, TypeError):
        raise ProviderError(Fault.UNREACHABLE, f"GET /{where}: no OpenID configuration", code="NoJson") from None


def claims(token: str) -> Mapping[str, Any]:
    """Return the claims of an access token, unchecked; nothing for one that cannot be read."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}
