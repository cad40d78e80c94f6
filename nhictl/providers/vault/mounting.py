"""A Connection as mounts of Vault: an auth mount with its configuration, or a database secrets mount. Pure.

Rules enforced here:
- an issuer is reached over TLS; plain HTTP only with `allowHttp`, and then only on the loopback;
- a jwt mount trusts one issuer by exactly one of discovery, key set or fixed keys;
- a database's password is never written here: `passwordFrom` names the place it is read from when it is sent, and
  `passwordVersion` says which one that is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from nhictl.kinds.common import duration_seconds
from nhictl.kinds.connection import Connection
from nhictl.model import Address, Resource, Value
from nhictl.providers.vault import fields, names
from nhictl.providers.vault.names import DATABASE, ENGINE, MOUNT
from nhictl.providers.vault.trusting import Untrusted

_PASSWORD = re.compile(r"[^/@{}]*:[^/@{}]+@")
_DEFAULT_URLS = {"githubActions": "https://token.actions.githubusercontent.com", "gitlab": "https://gitlab.com"}


def path_of(connection: Connection) -> str:
    """Return the mount of a connection."""
    return names.mount_path(str(connection.block["mount"]))


def type_of(connection: Connection) -> str:
    """Return what a connection's mount is: jwt, oidc, approle, kubernetes or database."""
    return str(connection.block.get("type", "jwt"))


def loopback(url: str) -> bool:
    """Return whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resources(connection: Connection, target: str) -> Iterator[Resource]:
    """Yield the mount of a connection and what is configured in it. Raises Untrusted."""
    kind, path = type_of(connection), path_of(connection)
    tune: dict[str, Value] = {
        "default_lease_ttl": _seconds(connection, "defaultTtl"), "max_lease_ttl": _seconds(connection, "maxTtl"),
    }  # fmt: skip
    said: dict[str, Value] = {"description": _description(connection), **tune}
    if kind == "database":
        mount = _resource(connection, Address(target, ENGINE, path), said)
        yield mount
        if database := connection.block.get("database"):
            url = str(database["connectionUrl"])
            if _PASSWORD.search(url) or fields.url(url) != url:
                raise Untrusted(
                    "E524", f"{connection.ref}: there is a password in the URL", path=("database", "connectionUrl"),
                    hint="write {{username}}:{{password}} there, and name the place in `passwordFrom`",
                )  # fmt: skip
            address = Address(target, DATABASE, names.below(path, str(database["name"])))
            yield _resource(connection, address, _database(database), depends_on=(mount.address,))
        return
    said |= {"type": kind, "config": _config(connection, kind)}
    yield _resource(connection, Address(target, MOUNT, path), said)


def _resource(
    connection: Connection, address: Address, said: Mapping[str, Value], *, depends_on: tuple[Address, ...] = ()
) -> Resource:
    return Resource(
        address, said, subject=connection.ref, depends_on=depends_on, handling=connection.handling,
        adopt=connection.adopt, place=connection.document.place("metadata", "name"),
    )  # fmt: skip


def _description(connection: Connection) -> str:
    return str((connection.document.value.get("spec") or {}).get("description") or "").strip()


def _seconds(connection: Connection, key: str) -> int:
    return duration_seconds(connection.block[key]) if key in connection.block else 0


def _config(connection: Connection, kind: str) -> dict[str, Value]:
    block = connection.block
    if kind == "approle":
        return {}
    if kind == "kubernetes":
        if "kubernetesHost" not in block:
            raise Untrusted("E524", "a Kubernetes mount needs the cluster's API", hint="set `vault.kubernetesHost`")
        _reachable(connection, str(block["kubernetesHost"]), "kubernetesHost")
        if block.get("disableLocalCa") is True and not block.get("caCertificate"):
            raise Untrusted("E524", "without the local CA it needs the cluster's", hint="set `vault.caCertificate`")
        said: dict[str, Any] = {
            "kubernetes_host": block["kubernetesHost"], "kubernetes_ca_cert": block.get("caCertificate"),
            "disable_local_ca_jwt": block.get("disableLocalCa", False),
        }  # fmt: skip
        return fields.read(fields.CONFIGS["kubernetes"], said)
    return fields.read(fields.CONFIGS["jwt"], _jwt(connection))


def _jwt(connection: Connection) -> dict[str, Any]:
    block = connection.block
    url = str(connection.issuer.get("url") or _DEFAULT_URLS.get(connection.issuer_kind, ""))
    ways = [w for w in ("discoveryUrl", "jwksUrl", "publicKeys") if w in block]
    if len(ways) > 1 or (not ways and not url):
        raise Untrusted(
            "E524", f"{connection.ref} must say one way to the issuer's keys",
            hint="name `issuer`, or one of `vault.discoveryUrl`, `vault.jwksUrl` and `vault.publicKeys`",
        )  # fmt: skip
    discovery = str(block.get("discoveryUrl", "" if ways else url))
    for found, key in ((discovery, "discoveryUrl"), (str(block.get("jwksUrl", "")), "jwksUrl")):
        if found:
            _reachable(connection, found, key)
    certificate = block.get("caCertificate", "")
    return {
        "oidc_discovery_url": discovery,
        "oidc_discovery_ca_pem": certificate if discovery else "",
        "jwks_url": block.get("jwksUrl", ""),
        "jwks_ca_pem": certificate if "jwksUrl" in block else "",
        "jwt_validation_pubkeys": block.get("publicKeys"),
        "bound_issuer": block.get("boundIssuer", url),
        "jwt_supported_algs": block.get("algorithms"),
    }


def _reachable(connection: Connection, url: str, key: str) -> None:
    if url.startswith("https://"):
        return
    if not url.startswith("http://") or not loopback(url) or connection.block.get("allowHttp") is not True:
        raise Untrusted(
            "E524", f"{connection.ref}: {key} is not reached over TLS", path=(key,),
            hint="use https://; `vault.allowHttp: true` is for tests on one machine and takes loopback addresses only",
        )  # fmt: skip


def _database(data: Mapping[str, Any]) -> dict[str, Value]:
    said: dict[str, Any] = {
        "plugin_name": data.get("plugin", "postgresql-database-plugin"),
        "allowed_roles": data.get("allowedRoles"),
        "root_rotation_statements": data.get("rootRotationStatements"),
        "password_policy": data.get("passwordPolicy"),
    }
    details: dict[str, Any] = {
        "connection_url": data["connectionUrl"],
        "username": data.get("username"),
        "username_template": data.get("usernameTemplate"),
        "max_open_connections": data.get("maxOpenConnections", 4),
        "max_connection_lifetime": data.get("maxConnectionLifetime", 0),
    }
    found = fields.read(fields.DATABASE, said)
    found |= {name: value for name, value in fields.read(fields.DETAILS, details).items() if name in details}
    if "passwordFrom" in data:
        found["password"] = f"{data['passwordFrom']}#{data.get('passwordVersion', 1)}"
    return found
