"""Whose an identity is, what it has access through, and what is said to be unknown."""

from __future__ import annotations

import datetime as dt

import pytest

from nhictl.inventory.build import Given, build
from nhictl.inventory.world import Source
from nhictl.kinds.workspace import Ignore
from nhictl.ledger.fold import Folded, Unresolved
from nhictl.ledger.touched import Touch, Touched
from nhictl.model import Credential, Mark, Operation, Permission, Snapshot, Standing
from tests.inventory.estate import NOW, OURS, Parts, at, live, only, record, taken


def test_what_the_ledger_knows_by_native_id_is_managed() -> None:
    """Nothing else is needed, not even the mark."""
    item = only(taken(live("entity", "api"), managed=[record("entity", "api", "nhi/api")]))
    assert (item.standing, item.subject, item.native_id) == (Standing.MANAGED, "nhi/api", "id-api")


def test_what_was_taken_over_is_adopted() -> None:
    """The ledger tells that it was not made here."""
    touched = Touched(adopted={at("entity", "api")})
    item = only(taken(live("entity", "api"), managed=[record("entity", "api", "nhi/api")], touched=touched))
    assert item.standing is Standing.ADOPTED


def test_an_object_made_again_by_hand_is_not_ours() -> None:
    """Name and mark may be ours: the native id decides."""
    known = record("entity", "api", "nhi/api", native_id="another")
    item = only(taken(live("entity", "api", mark=OURS), managed=[known]))
    assert item.standing is Standing.UNMANAGED
    assert item.reason.startswith("was made again outside nhictl")


def test_our_mark_without_a_record_is_an_orphan() -> None:
    """It does not count as governed."""
    found = taken(live("entity", "api", mark=OURS))
    assert only(found).standing is Standing.ORPHAN
    assert (found.total.managed, found.total.unmanaged) == (0, 1)


def test_a_forgotten_object_with_our_mark_is_no_orphan() -> None:
    """It was given up on purpose."""
    found = taken(live("entity", "api", mark=OURS), folded=Folded({}, forgotten=frozenset({at("entity", "api")})))
    assert only(found).standing is Standing.UNMANAGED


def test_an_object_that_an_unfinished_operation_made_is_ours() -> None:
    """The mark names the operation whose end nobody recorded."""
    operation = Operation("op-1", "shop/test")
    begun = Unresolved(operation, at("entity", "api"), {"subject": "nhi/api"}, "", "run")
    found = taken(live("entity", "api", mark=Mark("shop/test", "nhi/api", "op-1")), folded=Folded({}, (begun,)))
    assert (only(found).standing, only(found).subject) == (Standing.MANAGED, "nhi/api")


def test_anothers_mark_is_a_reason_and_not_a_standing() -> None:
    """Another workspace may manage it; here it is unmanaged."""
    item = only(taken(live("entity", "api", mark=Mark("other/prod", "nhi/x"))))
    assert (item.standing, item.reason) == (Standing.UNMANAGED, "carries the mark of other/prod")


@pytest.mark.parametrize(
    ("expires", "standing"),
    [(None, Standing.IGNORED), (dt.date(2027, 1, 1), Standing.IGNORED), (dt.date(2026, 11, 22), Standing.UNMANAGED)],
)
def test_a_rule_leaves_an_identity_alone_until_it_expires(expires: dt.date | None, standing: Standing) -> None:
    """Reason and end are told; on the day of its end it counts no more."""
    item = only(taken(live("entity", "api"), ignore=(Ignore(0, "Terraform", names=("a*",), expires=expires),)))
    assert item.standing is standing
    if standing is Standing.IGNORED:
        assert (item.reason, item.until) == ("Terraform", expires.isoformat() if expires else "")


def test_the_principal_nhictl_runs_as_is_left_alone() -> None:
    """It is never changed and never imported, so it does not count against coverage."""
    found = taken(live("entity", "nhictl"), own=(at("entity", "nhictl"),))
    assert (only(found).standing, found.coverage[0].percent) == (Standing.IGNORED, None)


def test_a_managed_identity_stays_managed_whatever_a_rule_says() -> None:
    """A rule hides no access that is ours."""
    found = taken(
        live("entity", "api"), managed=[record("entity", "api", "nhi/api")], ignore=(Ignore(0, "x", names=("*",)),)
    )
    assert only(found).standing is Standing.MANAGED


def test_what_is_built_in_is_listed_and_does_not_count() -> None:
    """Neither as governed nor as a shadow."""
    found = taken(live("entity", "root", fact_builtin="superuser of the cluster"), live("entity", "x"))
    assert found.items[0].reason == "superuser of the cluster"
    assert (found.total.builtin, found.total.unmanaged, found.total.percent) == (1, 1, 0)


def test_the_parts_of_one_nhi_are_listed_once() -> None:
    """By the subject the ledger knows; the first kind of the provider stands for them, credentials are put together."""
    found = taken(
        live("entity", "e", at("policy", "p"), fact_created="2026-01-01T00:00:00Z"),
        live("login", "l", fact_credentials=({"kind": "secret-id", "id": "a"},), trusts="somebody"),
        live("policy", "p", gives=("read",)),
        managed=[record("entity", "e", "nhi/api"), record("login", "l", "nhi/api")],
    )
    item = only(found)
    assert item.address == at("login", "l")
    assert item.permissions == (Permission("allow", "read", "*"),)
    assert item.trust == (Permission("assume", "assume", "somebody"),)
    assert item.credentials == (Credential("secret-id", "a"),)
    assert found.total.managed == 1


def test_a_part_says_whose_it_is_when_nobody_recorded_it() -> None:
    """`part_of` names the object it belongs to; that one is the main one."""
    found = taken(live("login", "l", fact_part_of="t/entity/e"), live("entity", "e"))
    assert only(found).address == at("entity", "e")


def test_a_part_of_something_that_is_gone_stands_for_itself() -> None:
    """What is live is listed."""
    assert only(taken(live("login", "l", fact_part_of="t/entity/e"))).address == at("login", "l")


def test_access_is_what_an_identity_has_through_others_and_what_hangs_on_it() -> None:
    """Groups inside of groups, and a group that lists it; the other members of that group give nothing."""
    found = taken(
        live("entity", "api", at("group", "inner")),
        live("entity", "other", at("policy", "much")),
        live("group", "inner", at("policy", "p")),
        live("group", "outer", at("entity", "api"), at("entity", "other"), at("policy", "q")),
        live("policy", "p", gives=("read",)),
        live("policy", "q", gives=("write",)),
        live("policy", "much", gives=("everything",)),
    )
    api, other = found.items
    assert [p.action for p in api.permissions] == ["read", "write"]
    assert [p.action for p in other.permissions] == ["everything", "write"]
    assert api.roles == ("t/group/inner", "t/policy/q")


def test_roles_have_the_names_of_their_manifests() -> None:
    """Where the ledger knows them."""
    found = taken(
        live("entity", "api", at("policy", "p")), live("policy", "p", gives=("read",)),
        managed=[record("policy", "p", "role/reader")],
    )  # fmt: skip
    assert only(found).roles == ("role/reader",)


def test_a_boundary_is_no_role_and_a_role_that_bounds_too_is_one() -> None:
    """What bounds an identity gives it nothing, even where a manifest declares it as a role."""
    bound = live("policy", "limit", bounds="policy:limit")
    both = live("policy", "both", bounds="policy:both", gives=("read",))
    api = live("login", "api", bound.address, both.address)
    records = [record("login", "api", "nhi/api"), record("policy", "limit", "role/limit")]
    item = only(taken(api, bound, both, managed=records))
    assert item.roles == ("t/policy/both",)


def test_what_gives_nothing_is_no_role() -> None:
    """A connection somebody depends on is trust, not a role."""
    assert only(taken(live("entity", "api", at("policy", "p")), live("policy", "p"))).roles == ()


@pytest.mark.parametrize(
    ("facts", "used"),
    [
        ({}, None),
        ({"fact_last_used": ""}, ""),
        ({"fact_last_used": "2026-11-01T00:00:00Z"}, "2026-11-01T00:00:00Z"),
        ({"fact_credentials": ()}, None),
        ({"fact_credentials": ({"kind": "k"},)}, None),
        ({"fact_credentials": ({"kind": "k", "last_used": ""},)}, ""),
        ({"fact_credentials": ({"kind": "k", "last_used": ""}, {"kind": "k"})}, None),
        (
            {"fact_credentials": ({"kind": "k", "last_used": "2026-10-01T00:00:00Z"}, {"kind": "k"})},
            "2026-10-01T00:00:00Z",
        ),
    ],
)
def test_the_last_use_is_told_or_unknown(facts: dict[str, object], used: str | None) -> None:
    """Never used is what every credential says; one that says nothing makes it unknown."""
    assert only(taken(live("entity", "api", **facts))).last_used == used


@pytest.mark.parametrize(("created", "days"), [("2026-11-01T00:00:00Z", 0), ("2025-01-01T00:00:00Z", 400), (None, 400)])
def test_what_is_younger_than_the_provider_looks_back_was_never_used(created: str | None, days: int) -> None:
    """A role made this month and not used has never been used, however far back uses are known."""
    item = only(taken(live("login", "api", fact_last_used="", fact_tracked_days=400, fact_created=created)))
    assert (item.last_used, item.tracked_days) == ("", days)


def test_credentials_nobody_tells_of_are_not_known_and_none_are_none() -> None:
    """None and the empty tuple differ."""
    assert only(taken(live("entity", "api"))).credentials is None
    assert only(taken(live("entity", "api", fact_credentials=()))).credentials == ()


def test_the_last_word_of_the_ledger_is_on_the_object_or_on_its_access() -> None:
    """A grant of the same NHI counts; another target's does not, nor anything for what is not ours."""
    touched = Touched(
        {at("entity", "api"): Touch("2026-01-01T00:00:00Z", "ann", "create")},
        {
            ("t", "nhi/api"): Touch("2026-02-01T00:00:00Z", "bob", "update"),
            ("u", "nhi/api"): Touch("2026-03-01T00:00:00Z", "eve", "update"),
        },
    )
    item = only(taken(live("entity", "api"), managed=[record("entity", "api", "nhi/api")], touched=touched))
    assert (item.changed, item.changed_by) == ("2026-02-01T00:00:00Z", "bob")
    assert only(taken(live("entity", "x"), touched=touched)).changed == ""


def test_live_labels_are_told_without_a_manifest() -> None:
    """Tags and labels, wherever the provider has them."""
    assert only(taken(live("entity", "api", tags={"team": "a"}, fact_tags={"x": "y"}))).labels == {
        "team": "a",
        "x": "y",
    }


def test_a_secret_that_somebody_keeps_in_a_tag_is_cut_out() -> None:
    """By the name of the tag, or by what it is."""
    tags = {"db-password": "CANARY", "where": "postgresql://u:CANARY@db/x", "team": "a"}
    found = only(taken(live("entity", "api", fact_tags=tags))).labels
    assert (found["team"], "CANARY" in repr(found)) == ("a", False)


def test_an_unreadable_target_has_neither_identities_nor_coverage() -> None:
    """It is unknown, and the reason is told."""
    sources = (
        Source("t", Parts(), Snapshot("t", {at("entity", "a"): live("entity", "a")})),  # type: ignore[arg-type]
        Source("u", Parts(), Snapshot("u", {}, error="no answer")),  # type: ignore[arg-type]
    )
    found = build(Given("shop", "test", NOW, sources, Folded({})))
    assert [c.target for c in found.coverage] == ["t"]
    assert found.unreadable == {"u": "no answer"}
    assert found.total.unmanaged == 1
