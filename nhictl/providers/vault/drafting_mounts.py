"""Manifests for live mounts of a Vault: Connections. Pure.

Rules enforced here:
- what a block means is compiled and compared: a configuration that comes out otherwise is kept as it is;
- a URL in a database's configuration never has its password: Vault shows it masked, and it stays Vault's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nhictl.kinds import connection
from nhictl.kinds.common import duration_text
from nhictl.model import Address, Document, Resource, Value
from nhictl.providers.base import Draft
from nhictl.providers.vault import fields, mounting, names
from nhictl.providers.vault.names import DATABASE, MOUNT
from nhictl.providers.vault.trusting import Untrusted

_PASSWORD = re.compile(r"[^/@{}]*:[^/@{}]+@")
_LONGEST = 999999
_JWT = {
    "jwks_url": "jwksUrl", "jwt_validation_pubkeys": "publicKeys", "bound_issuer": "boundIssuer",
    "jwt_supported_algs": "algorithms",
}  # fmt: skip
_DATABASE = {
    "allowed_roles": "allowedRoles", "root_rotation_statements": "rootRotationStatements",
    "password_policy": "passwordPolicy", "username": "username", "username_template": "usernameTemplate",
}  # fmt: skip


def drafts(mounts: Iterable[Resource], engines: Iterable[Resource], databases: Iterable[Resource]) -> Iterator[Draft]:
    """Yield the Connections of auth mounts and of database mounts with their configurations."""
    yield from (_auth(mount) for mount in mounts if names.method_of(str(mount.attributes.get("type"))))
    below: dict[str, list[Resource]] = {}
    for database in databases:
        below.setdefault(names.split(database.address.name)[0], []).append(database)
    for engine in engines:
        yield from _engine(engine, below.get(engine.address.name, []))


def plain(value: Value) -> Any:
    """Return an attribute as it is written in a manifest."""
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _auth(mount: Resource) -> Draft:
    kind = str(mount.attributes["type"])
    live = mount.attributes.get("config")
    config = live if isinstance(live, Mapping) else {}
    block: dict[str, Any] = {"mount": mount.address.name, **({} if kind == "jwt" else {"type": kind}), **_tuned(mount)}
    spec: dict[str, Any] = {**_description(mount), "vault": block}
    if kind in ("jwt", "oidc"):
        spec |= _issuer(block, config)
    elif kind == "kubernetes":
        block |= _cluster(config)
    if _compiled(mount.address, spec) == dict(config):
        return Draft("Connection", "", spec, (mount.address,), called=mount.address.name)
    note = "Its configuration has parts that a manifest cannot say."
    return Draft("Connection", "", spec, (mount.address,), (f"{MOUNT}/config",), (note,), mount.address.name)


def _compiled(address: Address, spec: Mapping[str, Any]) -> Mapping[str, Value] | None:
    """Return the configuration that a Connection means, None when it cannot be compiled."""
    document = Document("Connection", "draft", {"metadata": {"name": "draft"}, "spec": spec}, "")
    try:
        found = list(mounting.resources(connection.parse(document), address.target))
    except (Untrusted, KeyError, ValueError):
        return None
    said = found[0].attributes.get("config")
    return said if isinstance(said, Mapping) else None


def _issuer(block: dict[str, Any], config: Mapping[str, Value]) -> dict[str, Any]:
    """Put into `block` how the issuer is known, and return the `issuer` where there is one."""
    block |= {name: plain(config[key]) for key, name in _JWT.items() if config.get(key)}
    certificate = config.get("oidc_discovery_ca_pem") or config.get("jwks_ca_pem")
    block |= {"caCertificate": str(certificate)} if certificate else {}
    url = str(config.get("oidc_discovery_url") or "")
    if url.startswith("http://") and mounting.loopback(url):
        block["allowHttp"] = True
    if url and url == block.get("boundIssuer"):
        del block["boundIssuer"]
        return {"issuer": {"oidc": {"url": _secure(url)}}}
    if url:
        block["discoveryUrl"] = _secure(url)
    elif not {"jwksUrl", "publicKeys"} & set(block):
        block["discoveryUrl"] = "https://not-configured.invalid"
    return {}


def _secure(url: str) -> str:
    """Return a URL that a manifest may say; another one is kept as it is."""
    plain_http = url.startswith("http://") and not mounting.loopback(url)
    return "https://" + url.removeprefix("http://") if plain_http else url


def _cluster(config: Mapping[str, Value]) -> dict[str, Any]:
    host = str(config.get("kubernetes_host") or "https://not-configured.invalid")
    found: dict[str, Any] = {"kubernetesHost": _secure(host)}
    if host.startswith("http://") and mounting.loopback(host):
        found["allowHttp"] = True
    if config.get("kubernetes_ca_cert"):
        found["caCertificate"] = str(config["kubernetes_ca_cert"])
    return found | ({"disableLocalCa": True} if config.get("disable_local_ca_jwt") is True else {})


def _engine(engine: Resource, databases: list[Resource]) -> Iterator[Draft]:
    block: dict[str, Any] = {"mount": engine.address.name, "type": "database", **_tuned(engine)}
    spec = {**_description(engine), "vault": block}
    if not databases:
        yield Draft("Connection", "", spec, (engine.address,), called=engine.address.name)
    for index, database in enumerate(databases):
        said, keep = _database(database)
        addresses = (database.address,) if index else (engine.address, database.address)
        yield Draft(
            "Connection",
            "",
            {**spec, "vault": {**block, "database": said}},
            addresses,
            keep,
            called=database.address.name,
        )


def _database(database: Resource) -> tuple[dict[str, Any], tuple[str, ...]]:
    said = database.attributes
    url = str(said.get("connection_url") or "")
    masked = _PASSWORD.search(url) is not None or fields.MASK in url
    block: dict[str, Any] = {"name": names.split(database.address.name)[1]}
    if said.get("plugin_name") != "postgresql-database-plugin":
        block["plugin"] = said.get("plugin_name")
    shown = _PASSWORD.sub("{{username}}:{{password}}@", url)
    block["connectionUrl"] = shown.replace(fields.MASK, "{{password}}") or "unknown"
    block |= {name: plain(said[key]) for key, name in _DATABASE.items() if said.get(key)}
    for key, name, default in (("max_open_connections", "maxOpenConnections", 4),
                               ("max_connection_lifetime", "maxConnectionLifetime", 0)):  # fmt: skip
        if said.get(key) != default:
            block[name] = said.get(key)
    return block, ((f"{DATABASE}/connection_url",) if masked or not url else ())


def _tuned(mount: Resource) -> dict[str, Any]:
    found = {"defaultTtl": mount.attributes.get("default_lease_ttl"), "maxTtl": mount.attributes.get("max_lease_ttl")}
    return {k: duration_text(v) for k, v in found.items() if isinstance(v, int) and 0 < v <= _LONGEST}


def _description(mount: Resource) -> dict[str, Any]:
    text = str(mount.attributes.get("description") or "")
    return {"description": text} if text else {}
