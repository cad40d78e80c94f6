"""What narrower paths take from wider ones, as Vault answers when it is asked for the capabilities of a token."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.access import moved
from nhictl.chains.patterns import rank
from nhictl.model import Permission, Resource
from nhictl.model.change import Direction
from nhictl.providers.vault.adapter import adapter
from nhictl.providers.vault.overlaid import taken
from tests.providers.vault.vault_estates import at

TEXTS = ["".join(t) for n in range(6) for t in itertools.product("ab/", repeat=n)]
paths = st.lists(st.sampled_from(["a", "b", "ab", "+"]), min_size=1, max_size=3).map("/".join)
paths = st.builds(lambda p, star: p + star, paths, st.sampled_from(["", "*", "/*"]))


def allowed(*rules: tuple[str, str], source: str = "vault/policy/p") -> list[Permission]:
    """What a policy gives, by action and path."""
    return [Permission("allow", action, path, source=source) for action, path in rules]


def denied(found: list[Permission]) -> list[tuple[str, str]]:
    """What is taken, by action and path."""
    return [(p.action, p.resource) for p in taken(found) if p.effect == "deny"]


def texts(path: str) -> set[str]:
    """The short texts a path stands for."""
    head, star = (path[:-1], ".*") if path.endswith("*") else (path, "")
    body = "/".join("[^/]+" if s == "+" else re.escape(s) for s in head.split("/"))
    return {text for text in TEXTS if re.fullmatch(body + star, text)}


@given(paths, paths)
def test_only_a_more_specific_path_takes_and_only_from_one_that_has_all_of_it(wide: str, narrow: str) -> None:
    """Every text of the one is a text of the other, and the one that takes is the one that counts."""
    if wide == narrow:
        return
    for action, path in denied(allowed(("read", wide), ("list", narrow))):
        one, other = (wide, narrow) if action == "read" else (narrow, wide)
        assert path == other
        assert texts(other) <= texts(one)
        assert rank(other) > rank(one)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("kv/*", "kv/a"),
        ("kv/*", "kv/a/*"),
        ("kv*", "kv/+/x"),
        ("kv/+/x", "kv/a/x"),
        ("kv/+/*", "kv/a/b*"),
        ("*", "+/x"),
    ],
)
def test_a_narrower_path_takes_what_it_does_not_give(wide: str, narrow: str) -> None:
    """Whatever sign makes the other one wider."""
    assert denied(allowed(("read", wide), ("update", wide), ("read", narrow))) == [("update", narrow)]


@pytest.mark.parametrize("path", ["kv/a/b*", "other/a", "kv/{{identity.entity.id}}", "kv", "kv/+"])
def test_what_is_not_sure_is_not_told(path: str) -> None:
    """Paths that overlap in part, not at all, or as the request tells."""
    assert denied(allowed(("read", "kv/a/+"), ("list", path))) == []


def test_all_policies_of_an_identity_count_together() -> None:
    """What another policy gives on the same path is not taken; while one is not known, nothing is."""
    found = allowed(("read", "kv/*"), ("update", "kv/*"), ("read", "kv/a"))
    more = allowed(("update", "kv/a"), source="vault/policy/q")
    assert denied([*found, *more]) == []
    assert denied([*found, Permission("allow", "policy:default", "*")]) == [("update", "kv/a")]
    assert denied([*found, Permission("allow", "policy:gone", "*")]) == []
    assert denied([*found, Permission("allow", "*", "kv/a", "", "deny")]) == []


def test_an_entity_that_logs_in_is_judged_with_the_policies_of_its_auth_role() -> None:
    """What its token gives on the narrower path is not taken by what its entity has there."""
    policies = (
        Resource(at("policy", "wide"), {"rules": {"kv/*": ("read", "update"), "kv/a": ("read",)}, "text": ""}),
        Resource(at("policy", "more"), {"rules": {"kv/a": ("update",)}, "text": ""}),
    )
    entity = Resource(at("entity", "e"), {"enabled": True, "policies": ("wide",), "groups": ()})
    said: dict[str, Any] = {"method": "approle", "enabled": True, "entity": "e", "token_policies": ("more",)}
    login = Resource(at("auth-role", "approle/e"), said)
    alone = {r.address: r for r in (*policies, entity)}
    both = {**alone, login.address: login}

    def denies(one: Resource, known: Any) -> list[tuple[str, str]]:
        return [(p.action, p.resource) for p in adapter.permissions(one, known) if p.effect == "deny"]

    assert denies(entity, alone) == [("update", "kv/a")]
    assert (denies(entity, both), denies(login, both)) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ([("update", "kv/*"), ("read", "kv/*"), ("read", "kv/a")], [("update", "kv/*"), ("read", "kv/*")], "WIDER"),
        ([("read", "kv/*")], [("read", "kv/*"), ("list", "kv/a")], "CHANGED"),
    ],
)
def test_a_plan_tells_what_a_narrower_path_gives_back_or_takes(old: Any, new: Any, direction: str) -> None:
    """A narrower path removed gives access; one added takes some."""
    worlds = [frozenset([*allowed(*rules), *taken(allowed(*rules))]) for rules in (old, new)]
    assert moved("nhi/x", *worlds, direct=True).direction is Direction[direction]


def test_vault_gives_what_is_told(vault) -> None:
    """The server's own answer for tokens with the same policies."""
    texts = {
        "wide": 'path "secret/*" { capabilities = ["read", "update"] }\npath "secret/a" { capabilities = ["read"] }',
        "more": 'path "secret/+/x" { capabilities = ["list"] }\npath "secret/b/x" { capabilities = ["read"] }',
    }
    for name, text in texts.items():
        vault.call("POST", f"sys/policies/acl/{name}", {"policy": text})
    token = vault.call("POST", "auth/token/create", {"policies": ["wide", "more"], "no_default_policy": True})
    policies = {at("policy", n): Resource(at("policy", n), {"rules": None, "text": t}) for n, t in texts.items()}
    entity = Resource(at("entity", "e"), {"enabled": True, "policies": ("wide", "more"), "groups": ()})
    found = list(adapter.permissions(entity, policies))
    for path, refused in {"secret/a": {"update"}, "secret/b/x": {"list", "update"}}.items():
        asked = {"token": token["auth"]["client_token"], "paths": [path]}
        gives = set(vault.call("POST", "sys/capabilities", asked)["data"][path])
        assert gives == {p.action for p in found if p.resource == path and p.effect == "allow"}
        assert not gives & refused
        assert refused == {p.action for p in found if p.resource == path and p.effect == "deny"}
