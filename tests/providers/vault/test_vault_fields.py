"""Traps of Vault's replies: what reads back otherwise than it was written."""

from __future__ import annotations

import pytest

from nhictl.model import Address, Mark
from nhictl.providers.vault import convert, fields, names


def test_a_role_reads_alike_however_it_was_written() -> None:
    """Lifetimes as text or seconds, policies in any case and order, networks with or without length, no twins."""
    written = {
        "token_ttl": "15m", "token_max_ttl": "1h30m", "token_policies": "B,a,b", "token_bound_cidrs": ["10.0.0.1/32"],
        "secret_id_ttl": "10d",
    }  # fmt: skip
    back = {
        "token_ttl": 900, "token_max_ttl": 5400, "token_policies": ["a", "b"], "token_bound_cidrs": ["10.0.0.1"],
        "secret_id_ttl": 864000, "policies": ["a", "b"], "ttl": 900, "period": None,
    }  # fmt: skip
    assert fields.role("approle", written) == fields.role("approle", back)


def test_a_closed_role_is_not_enabled_and_has_no_addresses() -> None:
    """Closing is written as an address nobody has, and read back as what it means."""
    said = fields.role("approle", {"token_bound_cidrs": ["10.0.0.0/8"]})
    sent = fields.role_wire({**said, "enabled": False})
    closed = fields.role("approle", sent)
    assert (closed["enabled"], closed["token_bound_cidrs"]) == (False, ())


@pytest.mark.parametrize(
    ("claims", "same"),
    [({"a": "x"}, {"a": ["x"]}), ({"a": ["y", "x"]}, {"a": ["x", "y"]}), ({"a": ["x", "x"]}, {"a": "x"})],
)
def test_claims_are_sets(claims: dict[str, object], same: dict[str, object]) -> None:
    """One value is a list of one, and order means nothing."""
    assert fields.claims(claims) == fields.claims(same)


def test_true_and_the_text_true_are_two_claims() -> None:
    """Vault compares them with their type."""
    assert fields.claims({"a": True}) != fields.claims({"a": "true"})


def test_the_name_of_a_login() -> None:
    """It is known where the claim that names it is pinned to one value."""
    jwt = {"method": "jwt", "user_claim": "azp", "bound_claims_type": "string"}
    assert fields.alias_name({**jwt, "bound_claims": {"azp": ("shop",)}}) == "shop"
    assert fields.alias_name({**jwt, "bound_claims": {"azp": ("shop", "other")}}) == ""
    assert fields.alias_name({**jwt, "bound_claims_type": "glob", "bound_claims": {"azp": ("s*",)}}) == ""
    pod = {"method": "kubernetes", "bound_service_account_names": ("a",), "bound_service_account_namespaces": ("n",)}
    assert fields.alias_name({**pod, "alias_name_source": "serviceaccount_name"}) == "n/a"
    assert fields.alias_name({**pod, "alias_name_source": "serviceaccount_uid"}) == ""


def test_marks_come_back_from_every_place() -> None:
    """Metadata, comments and descriptions carry the same mark, and give the rest back as it was."""
    mark = Mark("ws/prod", "role/x", "run-1")
    body = 'path "a" { capabilities = ["read"] }\n'
    assert names.of_metadata({"team": "a", **names.in_metadata(mark)}) == mark
    assert names.of_policy(text := names.with_header(mark, body)) == mark
    assert names.policy_body(text) == body
    described = names.in_description("Machines [old]", mark, {"ledger": "env:A#2"})
    assert names.of_description(described) == ("Machines [old]", mark, {"ledger": "env:A#2"})
    assert names.of_description("plain") == ("plain", None, {})


def test_times_are_utc_seconds_and_the_zero_time_is_none() -> None:
    """Go writes nanoseconds, offsets, and the year 1 for never."""
    assert convert.time_text("2026-11-22T04:02:48.121166609+01:00") == "2026-11-22T03:02:48Z"
    assert convert.time_text("0001-01-01T00:00:00Z") is None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("host=h user=u password=CANARY dbname=x", "host=h user=u password=xxxxx dbname=x"),
        ("host=h%20password=CAN%41RY%20dbname=x", "host=h%20password=xxxxx%20dbname=x"),
        ("password = 'CAN \\' ARY' host=h", "password = xxxxx host=h"),
        ("postgresql://h/x?user=u&password=CANARY&a=b", "postgresql://h/x?user=u&password=xxxxx&a=b"),
        ("server=h;user id=sa;PWD=CANARY;database=x", "server=h;user id=sa;PWD=xxxxx;database=x"),
        ("root:CAN@A/RY@tcp(h:3306)/", "root:xxxxx@tcp(h:3306)/"),
        ("postgresql://{{username}}:{{password}}@h/x", "postgresql://{{username}}:{{password}}@h/x"),
        ("{{username}}:{{password}}@tcp(h:1)/", "{{username}}:{{password}}@tcp(h:1)/"),
        ("host=h password={{password}}", "host=h password={{password}}"),
    ],
)
def test_a_password_that_vault_gives_out_is_not_read(given: str, read: str) -> None:
    """Vault masks it in what it can read as a URL with a user, and nowhere else."""
    data = {"connection_details": {"connection_url": given}}
    found = convert.database(Address("v", "database-config", "d/x"), data, {"accessor": "a"})
    assert found.attributes["connection_url"] == read
