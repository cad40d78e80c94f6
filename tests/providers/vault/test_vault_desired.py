"""What manifests mean in Vault, and what is refused with a position."""

from __future__ import annotations

import pytest

from nhictl.providers.vault.adapter import adapter
from tests.providers.vault.vault_estates import at, estate

ROLES = """
kind: Role
metadata: {name: a}
spec: {vault: {paths: [{path: x, capabilities: [read]}], tokenTtl: 15m, tokenMaxTtl: 2h}}
---
kind: Role
metadata: {name: b}
spec: {vault: {attach: token, paths: [{path: y, capabilities: [list]}], tokenTtl: 30m, tokenMaxTtl: 1h}}
"""
ISSUER = """
---
kind: Connection
metadata: {name: c}
spec: {issuer: {oidc: {url: "https://sso.example.com"}}, vault: {mount: jwt, audiences: [v], userClaim: azp}}
"""


def nhi(identity: str, grants: str = "[]", more: str = "", name: str = "n") -> str:
    """The manifest of one NHI."""
    spec = f"{{type: workload, owner: o, purpose: p, identity: {identity}, grants: {grants}{more}}}"
    return f"---\nkind: NHI\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def compiled(text: str):
    """The resources of manifests by kind and name."""
    result = adapter.desired(estate(text))
    assert [d.summary for d in result.diagnostics] == []
    return {f"{r.address.kind}/{r.address.name}": r for r in result.resources}


def codes(text: str) -> list[str]:
    """The codes of what is said about manifests."""
    return [d.code for d in adapter.desired(estate(text)).diagnostics]


def test_roles_go_to_groups_tokens_or_entities() -> None:
    """The group has the entity, the token its policy, and the shortest lifetime of all roles counts."""
    found = compiled(ROLES + nhi("{approle: {}}", "[{role: a}, {role: b}]"))
    assert set(found) == {"policy/a", "group/a", "policy/b", "entity/n", "auth-role/approle/n"}
    assert found["entity/n"].attributes["groups"] == ("a",)
    role = found["auth-role/approle/n"]
    assert [role.attributes[k] for k in ("token_policies", "token_ttl", "token_max_ttl")] == [("b",), 900, 3600]
    assert at("entity", "n") in role.depends_on


def test_an_expired_grant_takes_membership_and_nothing_else() -> None:
    """Who may log in, and for how long, follows from all grants."""
    ended = compiled(ROLES + nhi("{approle: {}}", "[{role: a, expires: 2026-11-22}]"))
    assert ended["entity/n"].attributes["groups"] == ()
    assert (ended["entity/n"].attributes["enabled"], ended["auth-role/approle/n"].attributes["token_ttl"]) == (
        True,
        900,
    )


def test_a_disabled_nhi_is_shut_in_both_places() -> None:
    """The entity is disabled and the auth role closed; an expired NHI has no groups besides."""
    disabled = compiled(ROLES + nhi("{approle: {}}", "[{role: a}]", ", enabled: false"))
    expired = compiled(ROLES + nhi("{approle: {}}", "[{role: a}]", ", lifecycle: {expires: 2026-11-01}"))
    for found in (disabled, expired):
        assert found["entity/n"].attributes["enabled"] is False
        assert found["auth-role/approle/n"].attributes["enabled"] is False
    assert [f["entity/n"].attributes["groups"] for f in (disabled, expired)] == [("a",), ()]


def test_a_token_is_bound_to_everything_the_identity_says() -> None:
    """Audience of the connection, subject and claims of the identity, and the claim that names the login."""
    identity = "{oidc: {subject: s, claims: {azp: shop}}}"
    role = compiled(ROLES + ISSUER + nhi(identity, "[{role: a, via: c}]"))["auth-role/jwt/n"].attributes
    assert role["bound_audiences"] == ("v",)
    assert (role["bound_subject"], role["bound_claims"], role["user_claim"]) == ("s", {"azp": ("shop",)}, "azp")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (nhi("{awsUser: {}}"), "E520"),
        (ROLES + nhi("{oidc: {subject: s}}", "[{role: a}]"), "E521"),
        (ROLES + ISSUER + nhi("{oidc: {subject: s}}", "[{role: a, via: c}]"), "E522"),
        (ROLES + ISSUER + nhi("{oidc: {subject: 's*', claims: {azp: x}}}", "[{role: a, via: c}]"), "E523"),
        (ROLES + ISSUER + nhi("{oidc: {subject: s, claims: {azp: 'x*'}}}", "[{role: a, via: c}]"), "E523"),
        (ISSUER.replace("https://", "http://"), "E524"),
        (ISSUER.replace("https://sso.example.com", "http://127.0.0.1:8080/r"), "E524"),
        (ISSUER.replace("https://sso", "http://sso").replace("userClaim: azp", "allowHttp: true"), "E524"),
        ("kind: Role\nmetadata: {name: default}\nspec: {vault: {paths: [{path: x, capabilities: [read]}]}}", "E525"),
        ("kind: Role\nmetadata: {name: x}\nspec: {vault: {policy: 'path x {'}}", "E525"),
        ("kind: Role\nmetadata: {name: x}\nspec: {vault: {paths: [{path: 'a/${', capabilities: [deny]}]}}", "E525"),
        (ROLES + nhi("{approle: {entity: false}}", "[{role: a}]"), "E526"),
        (nhi("{approle: {settings: {policies: [a]}}}"), "E527"),
        (nhi("{approle: {settings: {token_ttl: soon}}}"), "E527"),
        (nhi("{approle: {}}") + nhi("{approle: {}}", more=", nativeName: n", name="m"), "E528"),
    ],
)
def test_what_vault_cannot_do_is_refused(text: str, code: str) -> None:
    """Nothing half-composed: a code, and the resources of that manifest are left out."""
    assert code in codes(text)


def test_plain_http_on_this_machine_needs_a_word() -> None:
    """For tests: `allowHttp`, and only then."""
    text = ISSUER.replace("https://sso.example.com", "http://127.0.0.1:8080/r").replace(
        "userClaim: azp", "allowHttp: true"
    )
    assert compiled(text)["auth-mount/jwt"].attributes["config"]["oidc_discovery_url"] == "http://127.0.0.1:8080/r"


@pytest.mark.parametrize("url", ["postgresql://u:secret@h/db", "u:secret@tcp(h:1)/", "password=secret"])
def test_a_password_in_a_url_is_refused(url: str) -> None:
    """And is in no diagnostic."""
    block = f"{{mount: d, type: database, database: {{name: x, connectionUrl: '{url}'}}}}"
    text = f"kind: Connection\nmetadata: {{name: d}}\nspec: {{vault: {block}}}"
    result = adapter.desired(estate(text))
    assert [d.code for d in result.diagnostics] == ["E524"]
    assert "secret" not in repr(result.diagnostics)
