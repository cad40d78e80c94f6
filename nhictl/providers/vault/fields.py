"""The fields of auth roles, mounts and databases that nhictl compares, and their normal form. Pure.

Rules
Rules enforced here:
- fields are an allow-list: nothing else of a reply goes on, so no secret can;
- Vault masks the password in a URL, and gives out the one in any other text that leads to a database: it is cut out;
- lifetimes are whole seconds; a list whose order means nothing is a set; what is absent has Vault's default;
- only `token_*` names are read and written: their deprecated twins (`policies`, `ttl`) say the same a second time;
- a role that nobody can log in through is *closed*: its tokens are bound to an address that nobody has.
Source: Vault API documentation of approle, jwt, kubernetes and database; defaults as a fresh role reads back.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nhictl.model import Attributes, Value, freeze, ordered_set

CLOSED = ("255.255.255.255",)
CLOSED_WIRE = ["255.255.255.255/32"]
MASK = "xxxxx"
_IN_TEXT = re.compile(
    r"(?P<before>(?:^|%20|[\s?&;])(?:password|passwd|pwd|sslpassword)(?:\s|%20)*=(?:\s|%20)*)"
    r"(?!\{\{password\}\})(?:'(?:[^'\\]|\\.)*'|(?:(?!%20)[^\s&;'])+)",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"^(?P<before>[^:/\s{}]*:)(?!\{\{password\}\}@).+(?=@[a-z0-9]*\()", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"([0-9]+)([smhd])")


def number(value: Any) -> int:
    """Return seconds or a count from a number or text such as `90`, `15m` or `1h30m`. Raises ValueError."""
    if value is None or value == "":
        return 0
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        parts = _PART.findall(value)
        if "".join(n + u for n, u in parts) != value:
            raise ValueError("not a duration")
        return sum(int(n) * _UNITS[u] for n, u in parts)
    return int(value)


def text(value: Any) -> str:
    """Return a text, empty for none."""
    return str(value or "")


def url(value: Any) -> str:
    """Return a connection's URL without the password that Vault leaves in those that are no URL, or have it behind."""
    return _IN_TEXT.sub(rf"\g<before>{MASK}", _IN_ADDRESS.sub(rf"\g<before>{MASK}", text(value)))


def flag(value: Any) -> bool:
    """Return a boolean. Raises ValueError on other text than true and false."""
    if isinstance(value, str):
        if value.lower() not in ("true", "false", ""):
            raise ValueError("not a boolean")
        return value.lower() == "true"
    return bool(value)


def texts(value: Any) -> tuple[str, ...]:
    """Return a set of texts; one text with commas is a list for Vault."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return ordered_set(str(v) for v in value or ())


def lower(value: Any) -> tuple[str, ...]:
    """Return a set of texts in lower case."""
    return ordered_set(v.lower() for v in texts(value))


def cidrs(value: Any) -> tuple[str, ...]:
    """Return a set of networks; a single address without its prefix length, as Vault reads back."""
    return ordered_set(_network(v) for v in texts(value))


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return value
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if single else str(network)


def claims(value: Any) -> Mapping[str, Value]:
    """Return bound claims: each a set of values; `true` and the text `true` are two things for Vault."""
    found = value if isinstance(value, Mapping) else {}
    return {str(k): _values(v if isinstance(v, list | tuple) else [v]) for k, v in found.items()}


def _values(some: Iterable[Any]) -> Value:
    plain = [v if isinstance(v, bool | int) else str(v) for v in some]
    unique = {(type(v).__name__, str(v)): v for v in plain}
    return tuple(unique[key] for key in sorted(unique, key=lambda key: (key[1], key[0])))


def mapping(value: Any) -> Mapping[str, Value]:
    """Return a mapping as it is."""
    found = freeze(value or {})
    return found if isinstance(found, Mapping) else {}


def pems(value: Any) -> tuple[str, ...]:
    """Return a set of PEM blocks without outer blanks."""
    return ordered_set(str(v).strip() for v in ([value] if isinstance(value, str) and value else value or ()))


def pem(value: Any) -> str:
    """Return a PEM block without outer blanks."""
    return str(value or "").strip()


Reader = Callable[[Any], Value]
Table = Mapping[str, tuple[Reader, Value]]

TOKEN: Table = {
    "token_policies": (lower, ()), "token_ttl": (number, 0), "token_max_ttl": (number, 0), "token_period": (number, 0),
    "token_explicit_max_ttl": (number, 0), "token_num_uses": (number, 0), "token_bound_cidrs": (cidrs, ()),
    "token_no_default_policy": (flag, False), "token_type": (text, "default"),
}  # fmt: skip
ROLES: Mapping[str, Table] = {
    "approle": {
        **TOKEN,
        "bind_secret_id": (flag, True), "secret_id_bound_cidrs": (cidrs, ()), "secret_id_num_uses": (number, 0),
        "secret_id_ttl": (number, 0), "local_secret_ids": (flag, False),
    },
    "jwt": {
        **TOKEN,
        "role_type": (text, "oidc"), "bound_audiences": (texts, ()), "bound_subject": (text, ""),
        "bound_claims": (claims, {}), "bound_claims_type": (text, "string"), "user_claim": (text, ""),
        "user_claim_json_pointer": (flag, False), "groups_claim": (text, ""), "claim_mappings": (mapping, {}),
        "expiration_leeway": (number, 0), "not_before_leeway": (number, 0), "clock_skew_leeway": (number, 0),
        "allowed_redirect_uris": (texts, ()), "oidc_scopes": (texts, ()), "max_age": (number, 0),
        "verbose_oidc_logging": (flag, False),
    },
    "kubernetes": {
        **TOKEN,
        "bound_service_account_names": (texts, ()), "bound_service_account_namespaces": (texts, ()),
        "bound_service_account_namespace_selector": (text, ""), "audience": (text, ""),
        "alias_name_source": (text, "serviceaccount_uid"),
    },
}  # fmt: skip
CONFIGS: Mapping[str, Table] = {
    "approle": {},
    "jwt": {
        "oidc_discovery_url": (text, ""), "oidc_discovery_ca_pem": (pem, ""), "oidc_client_id": (text, ""),
        "oidc_response_mode": (text, ""), "oidc_response_types": (texts, ()), "jwks_url": (text, ""),
        "jwks_ca_pem": (pem, ""), "default_role": (text, ""), "jwt_validation_pubkeys": (pems, ()),
        "jwt_supported_algs": (texts, ()), "bound_issuer": (text, ""), "provider_config": (mapping, {}),
        "namespace_in_state": (flag, True),
    },
    "kubernetes": {
        "kubernetes_host": (text, ""), "kubernetes_ca_cert": (pem, ""), "pem_keys": (pems, ()), "issuer": (text, ""),
        "disable_iss_validation": (flag, True), "disable_local_ca_jwt": (flag, False),
    },
}  # fmt: skip
DATABASE: Table = {
    "plugin_name": (text, ""), "allowed_roles": (texts, ()), "root_rotation_statements": (texts, ()),
    "password_policy": (text, ""),
}  # fmt: skip
DETAILS: Table = {
    "connection_url": (url, ""), "username": (text, ""), "max_open_connections": (number, 0),
    "max_idle_connections": (number, 0), "max_connection_lifetime": (number, 0), "username_template": (text, ""),
    "disable_escaping": (flag, False), "password_authentication": (text, ""), "tls_ca": (pem, ""),
}  # fmt: skip
TUNE: Table = {"default_lease_ttl": (number, 0), "max_lease_ttl": (number, 0)}


def read(table: Table, data: Mapping[str, Any]) -> dict[str, Value]:
    """Return the fields of a table from a reply, normal, defaults filled in. Raises ValueError."""
    return {
        name: reader(data[name]) if data.get(name) is not None else default for name, (reader, default) in table.items()
    }


def role(method: str, data: Mapping[str, Any]) -> dict[str, Value]:
    """Return the attributes of an auth role as it reads back."""
    found = read(ROLES[method], data)
    closed = found["token_bound_cidrs"] == CLOSED
    return {"method": method, "enabled": not closed, **found, **({"token_bound_cidrs": ()} if closed else {})}


def role_wire(attributes: Attributes) -> dict[str, Any]:
    """Return what an auth role is written as: every field that the attributes name."""
    table = ROLES[str(attributes["method"])]
    sent = {name: _thawed(attributes[name]) for name in table if name in attributes}
    for name in ("token_bound_cidrs", "secret_id_bound_cidrs"):
        if name in sent:
            sent[name] = [_with_length(network) for network in sent[name]]
    if attributes.get("enabled") is False:
        sent["token_bound_cidrs"] = CLOSED_WIRE
    return sent


def _with_length(network: str) -> str:
    """Return a network with its prefix length: an AppRole's take no bare address."""
    if "/" in network:
        return network
    return f"{network}/{128 if ':' in network else 32}"


def wire(table: Table, values: Attributes) -> dict[str, Any]:
    """Return the fields of a table as they are written."""
    return {name: _thawed(values[name]) for name in table if name in values}


def alias_name(attributes: Attributes, role_id: str = "") -> str:
    """Return the name of the alias that a login through a role gets; empty when logins differ in it."""
    method = attributes.get("method")
    if method == "approle":
        return role_id
    if method == "jwt":
        return _jwt_alias(attributes)
    if attributes.get("alias_name_source") != "serviceaccount_name":
        return ""
    spaces, names = attributes.get("bound_service_account_namespaces"), attributes.get("bound_service_account_names")
    space, name = _only(spaces), _only(names)
    exact = space and name and "*" not in space + name
    return f"{space}/{name}" if exact else ""


def _jwt_alias(attributes: Attributes) -> str:
    claim = attributes.get("user_claim")
    if claim == "sub" and attributes.get("bound_subject"):
        return str(attributes["bound_subject"])
    bound = attributes.get("bound_claims")
    value = _only(bound.get(str(claim))) if isinstance(bound, Mapping) else ""
    loose = attributes.get("bound_claims_type") == "glob" and "*" in value
    return "" if loose else value


def _only(value: Value) -> str:
    return str(value[0]) if isinstance(value, tuple) and len(value) == 1 else ""


def _thawed(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_thawed(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _thawed(v) for k, v in value.items()}
    return value
