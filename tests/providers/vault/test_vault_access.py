"""Effective access through policies, groups within groups, and how to log in."""

from __future__ import annotations

from typing import Any

import pytest

from nhictl.access import Index, moved, reach
from nhictl.model import Permission, Resource
from nhictl.model.change import Direction
from nhictl.providers.vault.adapter import adapter
from tests.providers.vault.vault_estates import at


def one(kind: str, name: str, depends: tuple[Any, ...] = (), **attributes: Any) -> Resource:
    """A live object."""
    return Resource(at(kind, name), attributes, depends_on=depends)


ROLE: dict[str, Any] = {
    "method": "approle",
    "bind_secret_id": True,
    "enabled": True,
    "entity": "e",
    "token_policies": ("t",),
}


def access(*extra: Resource, of: Resource) -> list[Permission]:
    """The permissions of an object among others."""
    return list(adapter.permissions(of, {r.address: r for r in (*extra, of)}))


def test_a_login_has_what_its_token_its_entity_and_all_groups_give() -> None:
    """A group in a group gives its policies, too; what is not known is named."""
    known = (
        one("policy", "t", rules={"p/t": ("read",)}, text=""),
        one("policy", "top", rules={"p/top": ("deny", "read")}, text=""),
        one("entity", "e", enabled=True, policies=("gone",), groups=("low",)),
        one("group", "low", (at("group", "top"),), policies=()),
        one("group", "top", policies=("top",)),
    )
    found = access(*known, of=one("auth-role", "approle/x", **ROLE))
    assert [(p.kind, p.action, p.resource, p.effect, p.source) for p in found] == [
        ("assume", "login", "approle:approle", "allow", "vault/auth-mount/approle"),
        ("allow", "read", "p/t", "allow", "vault/policy/t"),
        ("allow", "policy:default", "*", "allow", "vault/auth-role/approle/x"),
        ("allow", "policy:gone", "*", "allow", "vault/entity/e"),
        ("allow", "*", "p/top", "deny", "vault/policy/top"),
    ]


def test_nobody_has_access_through_a_disabled_entity_or_a_closed_role() -> None:
    """Neither the login nor the entity."""
    dead = one("entity", "e", enabled=False, policies=("t",), groups=())
    role = one("auth-role", "approle/x", **ROLE)
    closed = one("auth-role", "approle/x", **{**ROLE, "enabled": False})
    assert access(dead, of=role) == access(of=dead) == access(of=closed) == []


def test_a_rule_with_more_than_capabilities_keeps_it_as_the_condition() -> None:
    """And a policy that is not understood is opaque."""
    text = 'path "a" { capabilities = ["update"] allowed_parameters = { "x" = ["1"] } }'
    entity = one("entity", "e", enabled=True, policies=("odd", "strange"), groups=())
    found = access(one("policy", "odd", rules={}, text=text), one("policy", "strange", rules={}, text="?"), of=entity)
    assert [(p.action, p.resource, p.condition) for p in found] == [
        ("update", "a", '{"allowed_parameters":{"x":["1"]}}'),
        ("policy:strange", "*", ""),
    ]


def test_what_two_sources_give_is_told_for_each() -> None:
    """One permission by the token's policy and by the group's: two chains."""
    known = (
        one("policy", "t", rules={"p": ("read",)}, text=""),
        one("policy", "g", rules={"p": ("read",)}, text=""),
        one("entity", "e", enabled=True, policies=(), groups=("low",)),
        one("group", "low", policies=("g",)),
    )
    found = access(*known, of=one("auth-role", "approle/x", **ROLE, token_no_default_policy=True))
    assert [p.source for p in found if p.action == "read"] == ["vault/policy/t", "vault/policy/g"]


def test_the_default_policy_counts_as_what_it_says() -> None:
    """Where its text is known; and not for a role whose logins do not get it."""
    default = one("policy", "default", rules={"auth/token/lookup-self": ("read",)}, text="")
    role = {**ROLE, "entity": "", "token_policies": ()}
    found = access(default, of=one("auth-role", "approle/x", **role))
    none = access(default, of=one("auth-role", "approle/x", **role, token_no_default_policy=True))
    assert [(p.action, p.resource) for p in found if p.kind == "allow"] == [("read", "auth/token/lookup-self")]
    assert [p.kind for p in none] == ["assume"]


def test_a_template_in_a_path_stays_as_it_is() -> None:
    """Only the request tells what it becomes."""
    rules = {"kv/a-{{identity.entity.id}}/y": ("list",), "kv/{{identity.entity.name}}/x": ("read",)}
    entity = one("entity", "e", enabled=True, policies=("t",), groups=())
    found = access(one("policy", "t", rules=rules, text=""), of=entity)
    assert [(p.action, p.resource, p.condition) for p in found] == [
        ("list", "kv/a-{{identity.entity.id}}/y", ""), ("read", "kv/{{identity.entity.name}}/x", ""),
    ]  # fmt: skip


def test_a_path_with_a_slash_in_front_is_the_path_without_it() -> None:
    """As Vault takes it: who asks who can change sys/mounts is told of "/sys/*"."""
    known = one("policy", "t", rules={"/sys/*": ("sudo",)}, text="")
    found = access(known, of=one("entity", "e", enabled=True, policies=("t",), groups=()))
    assert [(p.action, p.resource) for p in found] == [("sudo", "sys/*")]


JWT: dict[str, Any] = {"method": "jwt", "enabled": True, "bound_subject": "s", "token_no_default_policy": True}
PEM = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"


def through(method: str, **config: Any) -> str:
    """The condition of a login through a mount with a configuration."""
    role = {**JWT, "method": method}
    (found,) = access(one("auth-mount", "m", type=method, config=config), of=one("auth-role", "m/x", **role))
    return found.condition


def test_whom_a_mount_believes_is_a_condition_of_each_login_through_it() -> None:
    """Keys by digest; who takes the keys from another place may come as anybody."""
    keys = through("jwt", jwt_validation_pubkeys=(PEM,), bound_issuer="https://i", jwks_url="", default_role="r")
    assert keys == (
        '{"bound_issuer":"https://i","bound_subject":"s","jwt_validation_pubkeys":["sha256:aa96bb5174dcd4df"]}'
    )
    assert through("jwt", jwks_url="https://i/k") == '{"bound_subject":"s","jwks_url":"https://i/k"}'


@pytest.mark.parametrize(
    ("method", "key", "one", "other"),
    [
        ("jwt", "oidc_discovery_url", "https://a", "https://b"),
        ("jwt", "oidc_discovery_ca_pem", PEM, f"{PEM}2"),
        ("jwt", "jwks_url", "https://a", "https://b"),
        ("jwt", "jwks_ca_pem", PEM, f"{PEM}2"),
        ("jwt", "jwt_validation_pubkeys", (PEM,), (PEM, f"{PEM}2")),
        ("jwt", "bound_issuer", "a", "b"),
        ("kubernetes", "kubernetes_host", "https://a", "https://b"),
        ("kubernetes", "kubernetes_ca_cert", PEM, f"{PEM}2"),
        ("kubernetes", "pem_keys", (PEM,), ()),
        ("kubernetes", "issuer", "a", "b"),
    ],
)
def test_another_issuer_key_or_cluster_is_another_access(method: str, key: str, one: Any, other: Any) -> None:
    """And the text of a certificate or key is in neither."""
    before, after = through(method, **{key: one}), through(method, **{key: other})
    assert before != after
    assert "BEGIN" not in before + after


def test_a_mount_that_was_not_read_says_nothing_of_whom_it_believes() -> None:
    """Nor does one that is not known."""
    role = one("auth-role", "m/x", **JWT)
    listed = one("auth-mount", "m", type="jwt")
    assert [p.condition for p in access(listed, of=role)] == [p.condition for p in access(of=role)]


def test_keys_from_another_place_change_the_access_of_every_nhi_that_comes_through() -> None:
    """`publicKeys` replaced by `jwksUrl`: whoever serves the keys is the NHI from then on."""
    mount = one("auth-mount", "m", type="jwt", config={"jwt_validation_pubkeys": (PEM,)})
    other = one("auth-mount", "m", type="jwt", config={"jwks_url": "https://else/k"})
    role = Resource(at("auth-role", "m/x"), JWT, "nhi/x", depends_on=(mount.address,))
    old, new = (reach(adapter, Index.of({r.address: r for r in (role, m)}), "nhi/x") for m in (mount, other))
    delta = moved("nhi/x", old, new, direct=False)
    assert delta.direction is Direction.CHANGED
    assert [p.condition for p in delta.gained] == ['{"bound_subject":"s","jwks_url":"https://else/k"}']
