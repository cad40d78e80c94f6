"""Inventories of real targets: what was read, declared and recorded comes together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nhictl.cli import context
from nhictl.engine.inventory import Taken, take
from nhictl.model import Credential, Permission, Standing
from tests.support import Shop, connection, nhi, role

KEY = "INSERT INTO credentials (id, identity_id, kind, created) SELECT ?, id, 'key', ? FROM identities WHERE name = ?"


def take_of(shop: Shop, **options: Any) -> Taken:
    """Return what `nhictl inventory` takes."""
    with shop.opened(**options) as (request, targets, ledger):
        documents = context.load(shop.root, "", cache=False).checked.documents
        entries = ledger.entries() if ledger.exists() else ()
        return take(request, entries, targets, documents=documents)


@pytest.fixture()
def shop(tmp_path: Path) -> Shop:
    """Two managed NHIs, and a ghost that somebody made by hand and gave a role."""
    made = Shop(tmp_path / "shop").declare(role("reader"), nhi("api", "reader", labels={"app": "web"}), nhi("job"))
    made.converge()
    made.sql("INSERT INTO identities (id, name, type) VALUES ('g', 'ghost', 'workload')")
    made.sql("INSERT INTO grants (id, identity_id, role_id) SELECT 'x', 'g', id FROM roles")
    return made


def test_a_managed_identity_has_everything_its_manifest_says(shop: Shop) -> None:
    """Owner, type, tier, service, labels, place; role, access, trust and the ledger's last word."""
    api = next(i for i in take_of(shop).inventory.items if i.subject == "nhi/api")
    assert (api.owner, api.type, api.tier, api.service, api.labels) == (
        "team",
        "workload",
        "low",
        "shop",
        {"app": "web"},
    )
    assert api.position is not None
    assert api.position.file == "manifests/002.yaml"
    assert api.roles == ("role/reader",)
    assert api.permissions == (Permission("allow", "read", "db/*"),)
    assert [p.resource for p in api.trust] == ["api"]
    assert (api.enabled, api.environment, api.standing) == (True, "test", Standing.MANAGED)
    assert api.changed.startswith("2026-11-22T12:00:00")
    assert api.changed_by


def test_what_somebody_made_by_hand_is_unmanaged_with_its_access(shop: Shop) -> None:
    """A grant made by hand counts as what it is."""
    taken = take_of(shop)
    ghost = next(i for i in taken.inventory.items if i.address.name == "ghost")
    assert (ghost.standing, ghost.roles, ghost.risks) == (
        Standing.UNMANAGED, ("role/reader",), ("unmanaged and has access",),
    )  # fmt: skip
    assert taken.inventory.total.percent == 66


def test_credentials_are_told_with_age_and_use(shop: Shop) -> None:
    """Those of everybody, and that there are none."""
    shop.sql(KEY, "k1", "2026-01-01T00:00:00Z", "ghost")
    items = {i.address.name: i for i in take_of(shop).inventory.items}
    key = Credential("key", "k1", "active", "2026-01-01T00:00:00Z", "", "")
    assert (items["ghost"].credentials, items["api"].credentials) == ((key,), ())


def test_what_is_adopted_is_not_what_was_made(shop: Shop) -> None:
    """The ledger knows, whatever happens to it later."""
    shop.declare(role("reader"), nhi("api", "reader"), nhi("job"), nhi("ghost", "reader", adopt=True)).converge()
    assert {i.address.name: i.standing for i in take_of(shop).inventory.items} == {
        "api": Standing.MANAGED, "ghost": Standing.ADOPTED, "job": Standing.MANAGED,
    }  # fmt: skip


def test_a_removed_nhi_is_managed_and_nobody_answers_for_it(shop: Shop) -> None:
    """It waits for the end of its grace period."""
    shop.declare(role("reader"), nhi("api", "reader")).apply()
    job = next(i for i in take_of(shop).inventory.items if i.address.name == "job")
    assert (job.standing, job.subject, job.owner, job.enabled) == (Standing.MANAGED, "nhi/job", "", False)
    assert job.risks == ("no owner: no manifest declares it any more",)


def test_an_object_renamed_by_hand_is_still_ours(shop: Shop) -> None:
    """It is told under the name it has now."""
    shop.sql("UPDATE identities SET name = 'renamed' WHERE name = 'api'")
    found = next(i for i in take_of(shop).inventory.items if i.address.name == "renamed")
    assert (found.standing, found.subject, found.roles) == (Standing.MANAGED, "nhi/api", ("role/reader",))


def test_a_role_that_somebody_widens_shows_as_the_wider_access(shop: Shop) -> None:
    """Access is what is live, not what is declared."""
    shop.sql("INSERT INTO permissions (role_id, action, resource) SELECT id, '*', '*' FROM roles")
    api = next(i for i in take_of(shop).inventory.items if i.subject == "nhi/api")
    assert "may do everything" in api.risks


def test_trust_through_a_connection_is_told_with_its_conditions(tmp_path: Path) -> None:
    """Who may become the identity is part of the inventory."""
    identity = {"githubActions": {"repository": "example/app", "branch": "main"}}
    made = Shop(tmp_path / "shop").declare(role("r"), connection("gh"), nhi("ci", "r", via="gh", identity=identity))
    (ci,) = take_of(made.converge()).inventory.items
    assert [p.source for p in ci.trust] == ["directory/connection/gh"]
    assert ci.roles == ("role/r",)


def test_declared_and_live_but_never_applied_is_unmanaged_with_its_manifest(tmp_path: Path) -> None:
    """The manifest says who answers for it; the ledger does not know it."""
    made = Shop(tmp_path / "shop").declare(role("r"), nhi("other")).converge()
    made.sql("INSERT INTO identities (id, name, type) VALUES ('g', 'api', 'workload')")
    made.declare(role("r"), nhi("other"), nhi("api"))
    api = next(i for i in take_of(made).inventory.items if i.address.name == "api")
    assert (api.standing, api.subject, api.owner) == (Standing.UNMANAGED, "nhi/api", "team")


def test_nothing_is_written(shop: Shop) -> None:
    """Neither to the ledger nor to the target."""
    before = shop.tree()
    take_of(shop)
    assert shop.tree() == before
