"""The embedded directory's adapter: what an estate means there, and what it cannot hold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from nhictl.codes import CODES
from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Address, Document, Handling, OnRemove, Resource
from nhictl.providers.base import Compiled
from nhictl.providers.local import convert
from nhictl.providers.local.adapter import adapter

TARGET = Target("directory", "local", {"path": "d.db"}, Path("/nowhere"))
TODAY = dt.date(2026, 11, 22)
ROLE = {"local": {"permissions": [{"actions": ["read", "list"], "resources": ["b", "a"]}]}}
NHI = {"type": "workload", "owner": "payments", "purpose": "p", "identity": {"spiffe": {"id": "spiffe://x/y"}}}


def document(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Document:
    """Return a manifest without positions."""
    return Document(kind, name, {"metadata": {"name": name, **metadata}, "spec": spec}, f"{name}.yaml")


def compiled(
    *documents: Document, names: dict[Any, str] | None = None, previous: dict[str, str] | None = None
) -> Compiled:
    """Return what the manifests mean in the directory."""
    return adapter.desired(
        Estate(
            owner="shop/prod",
            environment=Environment("prod", False, {}, (TARGET,)),
            target=TARGET,
            nhis=tuple(nhi.parse(d) for d in documents if d.kind == "NHI"),
            roles={d.name: role.parse(d) for d in documents if d.kind == "Role"},
            connections={d.name: connection.parse(d) for d in documents if d.kind == "Connection"},
            today=TODAY,
            names=names or {},
            previous=previous or {},
        )
    )


def resources(*documents: Document, **more: Any) -> dict[str, Resource]:
    """Return the compiled resources by `kind/name`, without diagnostics."""
    result = compiled(*documents, **more)
    assert result.diagnostics == ()
    return {f"{r.address.kind}/{r.address.name}": r for r in result.resources}


def test_each_action_on_each_resource_is_one_permission() -> None:
    """Lists multiply out, sorted."""
    found = resources(document("Role", "reader", ROLE))["role/reader"].attributes["permissions"]
    assert [(p["action"], p["resource"]) for p in found] == [("list", "a"), ("list", "b"), ("read", "a"), ("read", "b")]


def test_an_expired_nhi_is_disabled_and_holds_nothing() -> None:
    """The day `lifecycle.expires` names is the first day without access."""
    spec = {**NHI, "grants": [{"role": "reader"}], "lifecycle": {"expires": "2026-11-22"}}
    found = resources(document("Role", "reader", ROLE), document("NHI", "ci", spec))
    assert sorted(found) == ["identity/ci", "role/reader"]
    assert found["identity/ci"].attributes["enabled"] is False


def test_grants_of_a_removed_nhi_go_at_once() -> None:
    """The identity is disabled and waits for its grace period; its grants do not wait, protected or not."""
    spec = {**NHI, "type": "break-glass", "grants": [{"role": "reader"}], "lifecycle": {"deleteAfter": "30d"}}
    found = resources(document("Role", "reader", ROLE), document("NHI", "ci", spec))
    assert found["identity/ci"].handling == Handling(OnRemove.DISABLE, 30 * 86400, True)
    assert found["grant/ci:reader"].handling == Handling(OnRemove.DELETE)


def test_grants_of_a_retained_nhi_are_retained() -> None:
    """`onRemove: retain` leaves identity and grants as they are."""
    spec = {**NHI, "grants": [{"role": "reader"}], "lifecycle": {"onRemove": "retain"}}
    found = resources(document("Role", "reader", ROLE), document("NHI", "ci", spec))
    assert found["grant/ci:reader"].handling.on_remove is OnRemove.RETAIN


def test_a_rename_reaches_the_grants() -> None:
    """The identity and what is called after it are renamed from where they were."""
    found = resources(
        document("Role", "reader", ROLE),
        document("NHI", "new", {**NHI, "grants": [{"role": "reader"}]}, previously=["old"]),
        names={("nhi/old", "identity"): "old"},
        previous={"nhi/new": "nhi/old"},
    )
    assert found["identity/new"].renamed_from == Address("directory", "identity", "old")
    assert found["grant/new:reader"].renamed_from == Address("directory", "grant", "old:reader")


def test_what_the_directory_cannot_hold_is_said_with_a_known_code() -> None:
    """Names with separators, doubles, and connections that are elsewhere."""
    result = compiled(
        document("Role", "reader", ROLE),
        document("NHI", "a", {**NHI, "nativeName": "with:colon"}),
        document("NHI", "b", {**NHI, "nativeName": "same"}),
        document("NHI", "c", {**NHI, "nativeName": "same"}),
        document(
            "NHI", "d", {**NHI, "grants": [{"role": "reader"}, {"role": "reader"}, {"role": "reader", "via": "x"}]}
        ),
    )
    assert sorted(d.code for d in result.diagnostics) == ["E570", "E571", "E571", "E572"]
    assert all(d.code in CODES and d.span is not None for d in result.diagnostics)


def test_who_may_become_an_identity_depends_on_the_connection() -> None:
    """The way in names proof, issuer and audiences; a disabled identity has none."""
    trust = {"issuer": {"oidc": {"url": "https://sso"}}, "local": {"audiences": ["aud"]}}
    spec = {**NHI, "grants": [{"role": "reader", "via": "sso"}]}
    found = compiled(
        document("Role", "reader", ROLE), document("Connection", "sso", trust), document("NHI", "ci", spec)
    )
    known = {r.address: r for r in found.resources}
    identity = known[Address("directory", "identity", "ci")]
    ways = [p for p in adapter.permissions(identity, known) if p.kind == "assume"]
    assert [p.condition for p in ways] == [
        '{"audiences":["aud"],"issuer":{"oidc":{"url":"https://sso"}},"proof":{"spiffe":{"id":"spiffe://x/y"}}}'
    ]
    disabled = Resource(identity.address, {**identity.attributes, "enabled": False})
    assert list(adapter.permissions(disabled, known)) == []


def test_what_nobody_verifies_lets_nobody_in() -> None:
    """A proof from elsewhere needs a granted connection; the directory's own needs nothing and has no condition."""
    for proof, ways in (({"spiffe": {"id": "spiffe://x/y"}}, []), ({"local": {}}, [("ci", "")])):
        spec = {**NHI, "identity": proof, "grants": [{"role": "reader"}]}
        known = {
            r.address: r for r in compiled(document("Role", "reader", ROLE), document("NHI", "ci", spec)).resources
        }
        found = adapter.permissions(known[Address("directory", "identity", "ci")], known)
        assert [(p.resource, p.condition) for p in found if p.kind == "assume"] == ways


@pytest.mark.parametrize(("via", "kinds"), [("sso", ["connection", "identity", "role"]), (None, ["identity", "role"])])
def test_a_live_grant_says_what_it_joins(via: str | None, kinds: list[str]) -> None:
    """As a declared one does, so that what an unmanaged grant gives can be told."""
    grant = convert.grant("directory", ("id", "ci", "reader", via, "", None, None, None, "2026-11-22T00:00:00Z"))
    assert [a.kind for a in grant.depends_on] == kinds
    assert list(grant.depends_on) == sorted(grant.depends_on)
