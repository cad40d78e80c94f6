"""A Connection as an identity provider of the realm: OIDC and SAML. Pure but for the metadata file it reads.

Rules enforced here:
- whom the realm trusts is always declared in full: issuer, keys, endpoints, the check of signatures;
- the secret of a client at the issuer is neither in a manifest nor read: it is set in Keycloak and stays as it is;
- a metadata document is a file inside the workspace, without a document type and without a private key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from nhictl.kinds.connection import Connection
from nhictl.model import Resource, Value
from nhictl.providers.keycloak import mapping, proofs
from nhictl.providers.keycloak.names import IDP

if TYPE_CHECKING:
    from nhictl.providers.keycloak.desired import Composition

_ISSUERS = {
    "githubActions": ("https://token.actions.githubusercontent.com", "/.well-known/jwks"),
    "gitlab": ("https://gitlab.com", "/oauth/discovery/keys"),
    "kubernetes": ("", "/openid/v1/jwks"),
    "oidc": ("", ""),
}
ENDPOINTS = {
    "clientId": "clientId", "clientAuth": "clientAuthMethod", "authorizationUrl": "authorizationUrl",
    "tokenUrl": "tokenUrl", "userInfoUrl": "userInfoUrl", "logoutUrl": "logoutUrl",
}  # fmt: skip
CLIENT_AUTH = {
    "client-secret-post": "client_secret_post", "client-secret-basic": "client_secret_basic",
    "client-secret-jwt": "client_secret_jwt", "private-key-jwt": "private_key_jwt",
}  # fmt: skip
FLAGS = {
    "trustEmail": "trust_email",
    "linkOnly": "link_only",
    "hideOnLogin": "hide_on_login",
    "storeToken": "store_token",
}
ASSERTIONS = "supportsClientAssertions"
_LARGEST = 10 * 1024 * 1024
_MD, _DS = "{urn:oasis:names:tc:SAML:2.0:metadata}", "{http://www.w3.org/2000/09/xmldsig#}"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def provider(work: Composition, connection: Connection) -> Resource | None:
    """Return the identity provider of a Connection, None after saying why there is none."""
    from nhictl.providers.keycloak.desired import mappers, refuse_secrets

    block = connection.block
    config = _config(work, connection)
    if config is None:
        return None
    extra = {key: _text(value) for key, value in (block.get("config") or {}).items()}
    refuse_secrets(work, connection, extra, ("spec", "keycloak", "config"))
    merged = mapping.mapper_config({**config, **extra})
    address, former = work.take(IDP, connection, str(block["alias"]))
    attributes: dict[str, Value] = {
        "provider": block.get("provider") or ("saml" if connection.issuer_kind == "saml" else "oidc"),
        "enabled": block.get("enabled", True),
        "display_name": block.get("displayName", ""),
        "config": merged,
        "mappers": mappers(work, connection, block, ("spec", "keycloak")),
        "labels": dict(connection.meta.labels),
        **{FLAGS[key]: block[key] for key in FLAGS if key in block},
    }
    return Resource(
        address, attributes, connection.ref, handling=connection.handling, adopt=connection.adopt,
        renamed_from=former, place=connection.document.place("metadata", "name"),
    )  # fmt: skip


def _config(work: Composition, connection: Connection) -> dict[str, str] | None:
    if connection.issuer_kind == "saml":
        return _saml(work, connection)
    if connection.issuer_kind not in _ISSUERS:
        work.say(
            connection.document, "spec", "issuer", connection.issuer_kind, code="E542",
            summary=f"{connection.ref}: a realm cannot trust this issuer", hint="use an OIDC issuer or SAML",
        )  # fmt: skip
        return None
    return _oidc(connection)


def _oidc(connection: Connection) -> dict[str, str]:
    block: Mapping[str, Any] = connection.block
    default, keys = _ISSUERS[connection.issuer_kind]
    url = str(connection.issuer.get("url") or default)
    workload = connection.issuer_kind != "oidc"
    jwks = block.get("jwksUrl") or (url.rstrip("/") + keys if workload else "")
    config = {"issuer": url} | {ENDPOINTS[key]: str(block[key]) for key in ENDPOINTS if key in block}
    if "clientAuth" in block:
        config["clientAuthMethod"] = CLIENT_AUTH[block["clientAuth"]]
    if jwks:
        config |= {"jwksUrl": str(jwks), "useJwksUrl": "true", "validateSignature": "true"}
    if "defaultScopes" in block:
        config["defaultScope"] = " ".join(block["defaultScopes"])
    if "pkce" in block:
        config |= {"pkceEnabled": _text(block["pkce"])} | ({"pkceMethod": "S256"} if block["pkce"] else {})
    if block.get("clientAssertions", workload):
        config[ASSERTIONS] = "true"
    return config


def _saml(work: Composition, connection: Connection) -> dict[str, str] | None:
    named = str(connection.issuer.get("metadataFile", ""))
    if not named and "config" in (connection.document.value["spec"].get("keep") or ()):
        return {}
    try:
        return _described(_read(work.estate.target.root, named))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        work.say(
            connection.document, "spec", "issuer", "saml", "metadataFile", code="E543",
            summary=f"{connection.ref}: cannot use {named}: {why}",
            hint="the metadata of an identity provider is a file inside the workspace",
        )  # fmt: skip
        return None


def _read(root: Path, named: str) -> str:
    base = root.resolve()
    path = (base / named).resolve(strict=True)
    if not path.is_relative_to(base) or not path.is_file():
        raise OSError("outside of the workspace")
    if path.stat().st_size > _LARGEST:
        raise OSError(f"larger than {_LARGEST} bytes")
    text = path.read_bytes().decode("utf-8", "strict")
    if "PRIVATE KEY" in text:
        raise ValueError("there is a private key in it")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it has a document type")
    return text


def _described(text: str) -> dict[str, str]:
    """Return what a metadata document says about its identity provider. Raises ValueError when there is none."""
    root = ElementTree.fromstring(text)  # noqa: S314  (no document type, so no entities; see _read)
    entity = root if root.tag == f"{_MD}EntityDescriptor" else root.find(f".//{_MD}EntityDescriptor")
    described = entity.find(f"{_MD}IDPSSODescriptor") if entity is not None else None
    if entity is None or described is None:
        raise ValueError("no identity provider in it")
    services = {s.get("Binding", ""): s.get("Location", "") for s in described.findall(f"{_MD}SingleSignOnService")}
    if not services:
        raise ValueError("no single sign-on service in it")
    post = _POST in services
    config = {
        "idpEntityId": entity.get("entityID", ""),
        "singleSignOnServiceUrl": services[_POST] if post else services[min(services)],
        "postBindingAuthnRequest": _text(post),
        "postBindingResponse": "true",
    }
    found = [_certificate(key) for key in described.findall(f"{_MD}KeyDescriptor") if key.get("use") != "encryption"]
    if certificates := sorted({c for c in found if c}):
        config |= {"signingCertificate": ",".join(certificates), "validateSignature": "true"}
    return config


def _certificate(key: ElementTree.Element) -> str:
    found = key.find(f".//{_DS}X509Certificate")
    return proofs.certificate(found.text or "") if found is not None else ""


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
