"""The traps of Keycloak's admin API, against the real server: an update changes what it says and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nhictl.model import Action, Address, Change, ProviderError
from nhictl.model import Fault as Meant
from nhictl.providers.base import Scope
from nhictl.providers.keycloak import names
from tests.conformance.world import World, deleting
from tests.providers.keycloak.keycloak_kit import CHANGED, ESTATE, client, differences, picture, plain, put, world_of
from tests.servers.keycloak import Keycloak

OURS = Address("sso-test", "client", "payments")


def furnish(keycloak: Keycloak) -> None:
    """Set everything on the client that nhictl does not manage."""
    data = client(keycloak)
    put(
        keycloak, data, secret="a-secret-set-by-hand", authorizationServicesEnabled=True,
        redirectUris=["https://payments.example.com/*"], webOrigins=["https://payments.example.com"],
        rootUrl="https://payments.example.com", baseUrl="/home", adminUrl="https://payments.example.com/admin",
        name="Payments", consentRequired=True, notBefore=17, nodeReRegistrationTimeout=30, frontchannelLogout=True,
        alwaysDisplayInConsole=True, surrogateAuthRequired=True, fullScopeAllowed=False,
        attributes={**data["attributes"], "team": "payments", "post.logout.redirect.uris": "+", "unknown.key": "kept"},
        authenticationFlowBindingOverrides={"browser": flow(keycloak, "browser")},
    )  # fmt: skip
    path = f"/clients/{data['id']}"
    keycloak.call("POST", f"{path}/authz/resource-server/resource", {"name": "invoices", "uris": ["/invoices/*"]})
    keycloak.call("POST", "/roles", {"name": "by-hand"})
    role = keycloak.call("GET", "/roles/by-hand")
    keycloak.call("POST", f"{path}/scope-mappings/realm", [role])
    keycloak.call("POST", f"{path}/roles", {"name": "own", "attributes": {"a": ["b", "c"]}})


def flow(keycloak: Keycloak, alias: str) -> str:
    """Return the id of an authentication flow."""
    return next(f["id"] for f in keycloak.call("GET", "/authentication/flows") if f["alias"] == alias)


def test_an_update_leaves_everything_else_as_it_is(keycloak: Keycloak, world: World):
    """Secret, authorization service and settings, account, scopes, attributes, flows, URLs: all equal but one field."""
    world.converge(ESTATE)
    furnish(keycloak)
    before = picture(keycloak)
    world.converge(CHANGED.replace("Read all orders", "Read orders"))
    assert differences(before, picture(keycloak)) == {"/client/description"}


def test_every_other_part_of_the_realm_stays(keycloak: Keycloak, world: World):
    """The realm's whole export before and after an update differs in two descriptions."""
    world.converge(ESTATE)
    furnish(keycloak)
    where = "/partial-export?exportClients=true&exportGroupsAndRoles=true"
    before = keycloak.call("POST", where)
    world.converge(CHANGED)
    after = keycloak.call("POST", where)
    changed = str(plain(after)).replace("Take and give payments", "Take payments").replace("all orders", "orders")
    assert changed == str(plain(before))


def test_disabling_keeps_the_authorization_service_and_the_grants(keycloak: Keycloak, world: World):
    """`enabled` is the only thing a disable changes."""
    world.converge(ESTATE)
    furnish(keycloak)
    before, live = picture(keycloak), world.snapshot()[OURS]
    change = Change(OURS, Action.DISABLE, "nhi/payments", "test", native_id=live.native_id, before=live)
    with world.session(write=True) as session:
        session.apply(change, world.operation())
    assert differences(before, picture(keycloak)) == {"/client/enabled"}


def test_a_scope_changes_its_position(keycloak: Keycloak, world: World):
    """Adding a default scope as optional changes nothing until it is taken away first."""
    world.converge(ESTATE)
    optional = ESTATE.replace("scope: {audiences", "scope: {optional: true, audiences")
    world.converge(optional)
    data = client(keycloak)
    assert ("orders-reader" in data["defaultClientScopes"], "orders-reader" in data["optionalClientScopes"]) == (
        False,
        True,
    )


def test_scopes_mappers_and_roles_made_by_hand_are_drift(keycloak: Keycloak, world: World):
    """What widens a token is found and taken away; the baseline of a new client is not."""
    world.converge(ESTATE)
    data = client(keycloak)
    path = f"/clients/{data['id']}"
    scopes = {s["name"]: s["id"] for s in keycloak.call("GET", "/client-scopes")}
    keycloak.call("DELETE", f"{path}/optional-client-scopes/{scopes['offline_access']}")
    keycloak.call("PUT", f"{path}/default-client-scopes/{scopes['offline_access']}")
    mapper = {"name": "by hand", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper"}
    config = {"included.custom.audience": "https://elsewhere.example.com", "access.token.claim": "true"}
    keycloak.call("POST", f"{path}/protocol-mappers/models", {**mapper, "config": config})
    account = keycloak.call("GET", f"{path}/service-account-user")["id"]
    role = keycloak.call("GET", "/roles/offline_access")
    keycloak.call("POST", f"/users/{account}/role-mappings/realm", [role])
    ((_, _, fields),) = world.pending(ESTATE)
    world.converge(ESTATE)
    assert {f.path.partition(".")[0] for f in fields} == {"mappers", "roles", "scopes"}
    assert world.pending(ESTATE) == []


def test_membership_of_a_group_is_drift(keycloak: Keycloak, world: World):
    """A service account in a group has the group's roles: it is found, and it leaves."""
    world.converge(ESTATE)
    keycloak.call("POST", "/groups", {"name": "admins"})
    group = keycloak.call("GET", "/groups")[0]["id"]
    account = keycloak.call("GET", f"/clients/{client(keycloak)['id']}/service-account-user")["id"]
    keycloak.call("PUT", f"/users/{account}/groups/{group}")
    assert [f.path for _, _, fields in world.pending(ESTATE) for f in fields] == ["groups"]
    world.converge(ESTATE)
    assert keycloak.call("GET", f"/users/{account}/groups") == []


def test_a_new_client_has_what_the_console_gives_and_nothing_more(keycloak: Keycloak, world: World):
    """The scopes are those of a client made in the console, but for one that the realm gives everyone besides."""
    scope = {"name": "house-rule", "protocol": "openid-connect"}
    keycloak.call("POST", "/client-scopes", scope)
    added = next(s["id"] for s in keycloak.call("GET", "/client-scopes") if s["name"] == "house-rule")
    keycloak.call("PUT", f"/default-default-client-scopes/{added}")
    keycloak.call("POST", "/clients", {"clientId": "console", "serviceAccountsEnabled": True})
    world.converge(ESTATE)
    made, console = client(keycloak), client(keycloak, "console")
    assert set(made["defaultClientScopes"]) ^ set(console["defaultClientScopes"]) == {"orders-reader", "house-rule"}
    assert set(made["optionalClientScopes"]) == set(console["optionalClientScopes"])


def test_a_role_keeps_attributes_of_others(keycloak: Keycloak, world: World):
    """A role's attributes are replaced as a whole: an update sends back those that are not ours."""
    world.converge(ESTATE)
    role = keycloak.call("GET", "/roles/orders-reader")
    keycloak.call("PUT", f"/roles-by-id/{role['id']}", {**role, "attributes": {**role["attributes"], "a": ["b", "c"]}})
    world.converge(CHANGED)
    assert keycloak.call("GET", "/roles/orders-reader")["attributes"]["a"] == ["b", "c"]


@pytest.mark.parametrize("kind", [names.REALM_ROLE, names.SCOPE])
def test_what_somebody_still_has_is_not_deleted(keycloak: Keycloak, world: World, kind: str):
    """The server takes a deleted role or scope from every client in silence; nhictl refuses and names the client."""
    world.converge(ESTATE)
    address = Address("sso-test", kind, "orders-reader")
    live = world.snapshot()[address]
    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(
            Change(address, Action.DELETE, "role/orders-reader", "test", native_id=live.native_id, before=live),
            world.operation(),
        )
    assert refused.value.fault is Meant.IN_USE
    assert "payments" in refused.value.message


def test_a_role_of_which_nobody_can_say_who_holds_it_is_not_deleted(keycloak: Keycloak, world: World):
    """The server refuses a slash in a path, escaped or not: it cannot be asked, and deleting would take it from all."""
    text = "kind: Role\nmetadata: {name: reader}\nspec: {nativeName: orders/reader, keycloak: {}}\n"
    world.converge(text)
    live = world.snapshot()[Address("sso-test", names.REALM_ROLE, "orders/reader")]
    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(deleting(live, live.native_id), world.operation())
    assert (refused.value.fault, refused.value.code) == (Meant.IN_USE, "HoldersUnknown")
    assert "orders/reader" in [role["name"] for role in keycloak.call("GET", "/roles")]


def test_a_renamed_client_keeps_its_account_and_its_secret(keycloak: Keycloak, world: World):
    """Another `clientId` renames in place."""
    world.converge(ESTATE)
    secret = client(keycloak)["secret"]
    plan = world.converge(ESTATE.replace("clientId: payments", "clientId: payments-two"))
    assert [c.action for c in plan.changes] == [Action.UPDATE]
    assert client(keycloak, "payments-two")["secret"] == secret


def test_what_is_keycloaks_own_is_told_apart(keycloak: Keycloak, world: World):
    """In a fresh realm everything but nhictl's own client is built in."""
    with world.session() as session:
        found = list(session.read(Scope(details=True)))
    named = {str(r.address) for r in found if "builtin" not in r.facts and r.address.kind != "identity-provider"}
    assert named == {"sso-test/client/nhictl"}


def test_our_own_client_is_named(world: World):
    """The client nhictl logs in as is never to be touched."""
    with world.session() as session:
        assert session.identity().own == (Address("sso-test", "client", "nhictl"),)


def test_a_realm_with_another_id_is_refused(keycloak: Keycloak, keycloak_env: Mapping[str, str], tmp_path: Path):
    """A realm that was made again under the same name is another one."""
    world = world_of(keycloak, tmp_path, realmId="11111111-1111-4111-8111-111111111111")
    with pytest.raises(ProviderError) as refused, world.session() as session:
        session.identity()
    assert (refused.value.fault, refused.value.code) == (Meant.AUTH, "OtherRealm")
