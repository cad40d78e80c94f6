"""Few risks, each from what is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from nhictl.inventory.risks import risks
from nhictl.kinds.common import Meta
from nhictl.kinds.owner import Owner
from nhictl.model import Credential, Document, Item, Permission, Standing
from tests.inventory.estate import NOW, at

TEAM = Owner(Meta("team", {}), "team", "", {}, "", (), None, Document("Owner", "team", {}, "x.yaml"))
READ = Permission("allow", "read", "*")
GOOD = Item(at("entity", "api"), "parts", Standing.MANAGED, owner="team", permissions=(READ,), enabled=True)
KEY = Credential("access-key", "AK", "active", "2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-11-20T00:00:00Z")


def found(departed: dt.date | None = None, **fields: object) -> tuple[str, ...]:
    """Return the risks of a good identity with these fields changed."""
    return risks(replace(GOOD, **fields), {"team": replace(TEAM, departed=departed)}, NOW)  # type: ignore[arg-type]


def test_a_governed_identity_with_a_fresh_key_has_none() -> None:
    """Nothing is made up."""
    assert found(credentials=(KEY,), last_used="2026-11-20T00:00:00Z", created="2020-01-01T00:00:00Z") == ()


@pytest.mark.parametrize("text", [None, "", "not a time"])
def test_what_is_not_known_is_no_risk(text: str | None) -> None:
    """Neither an unknown age nor an unknown use."""
    assert found(credentials=(replace(KEY, created=text, last_used=None, expires=None),), created=text) == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner": ""}, "no owner: no manifest declares it any more"),
        ({"permissions": (Permission("allow", "*", "*"),)}, "may do everything"),
        ({"enabled": False}, "disabled and still has access"),
        ({"standing": Standing.UNMANAGED, "owner": ""}, "unmanaged and has access"),
        ({"standing": Standing.ORPHAN, "owner": ""}, "unmanaged and has access"),
        ({"credentials": (replace(KEY, expires=""),)}, "access-key AK never expires"),
        ({"credentials": (replace(KEY, created="2026-08-01T00:00:00Z"),)}, "access-key AK is 113 days old"),
        ({"credentials": (replace(KEY, expires="2026-11-21T00:00:00Z"),)}, "access-key AK is active after its end"),
        ({"created": "2026-01-01T00:00:00Z", "last_used": ""}, "never used"),
        ({"created": "2025-01-01T00:00:00Z", "last_used": "", "tracked_days": 400}, "not used in 400 days"),
    ],
)
def test_each_risk_is_one_sentence(fields: dict[str, object], said: str) -> None:
    """And nothing else is said."""
    assert found(**fields) == (said,)


def test_a_departed_owner_is_told_from_its_day_on() -> None:
    """Not before."""
    assert found(departed=dt.date(2026, 11, 22)) == ("owner team departed on 2026-11-22",)
    assert found(departed=dt.date(2026, 11, 23)) == ()


def test_an_old_key_that_was_never_used_is_told_as_both() -> None:
    """A young one may not have had its chance."""
    old = replace(KEY, created="2026-01-01T00:00:00Z", last_used="")
    assert found(credentials=(old,)) == ("access-key AK is 325 days old", "access-key AK was never used")
    assert found(credentials=(replace(KEY, last_used=""),)) == ()


def test_an_inactive_credential_is_no_risk() -> None:
    """It proves nobody."""
    assert found(credentials=(Credential("access-key", "AK", "inactive", "2020-01-01T00:00:00Z", "", ""),)) == ()


@pytest.mark.parametrize("standing", [Standing.BUILTIN, Standing.IGNORED])
def test_built_in_and_ignored_identities_have_none(standing: Standing) -> None:
    """Nobody can change the one; somebody answers for the other."""
    assert found(standing=standing, permissions=(Permission("allow", "*", "*"),), enabled=False) == ()
