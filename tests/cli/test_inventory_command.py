"""`nhictl inventory` and `nhictl get nhi`: the governed view, its filters, its formats and its exit codes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nhictl.cli import context
from nhictl.manifest.schema_files import published
from tests.cli.conftest import Line, configure
from tests.servers.strict import Strict
from tests.support import OWNER, Shop, document, nhi

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
GHOST = "INSERT INTO identities (id, name, type, created) VALUES (?, ?, 'workload', '2026-01-01T00:00:00Z')"
KEY = "INSERT INTO credentials (id, identity_id, kind, created, last_used) VALUES (?, ?, 'key', ?, ?)"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of every command stands."""
    monkeypatch.setattr(context, "now", lambda: NOW)


@pytest.fixture()
def estate(shop: Shop) -> Shop:
    """Two managed NHIs; a ghost with a key that was used long ago and another that never was."""
    shop.converge()
    shop.sql(GHOST, "g", "ghost")
    shop.sql("INSERT INTO grants (id, identity_id, role_id) SELECT 'x', 'g', id FROM roles WHERE name = 'reader'")
    shop.sql(KEY, "k1", "g", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    shop.sql(GHOST, "h", "haunt")
    shop.sql(KEY, "k2", "h", "2026-01-01T00:00:00Z", "")
    return shop


def names(line: Line, *words: str) -> list[str]:
    """Return the names of the identities a line shows."""
    said = line("inventory", *words, "-o", "json")
    assert said.code == 0, said.err
    return [item["name"] for item in json.loads(said.out)["identities"]]


def checked(text: str) -> Any:
    """Return JSON once it fits the published schema."""
    import jsonschema

    data = json.loads(text)
    jsonschema.Draft202012Validator(published("inventory")).validate(data)
    return data


def test_the_table_tells_whose_everything_is(estate: Shop, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row each, the coverage of the target and of everything."""
    monkeypatch.setenv("COLUMNS", "120")
    said = line("inventory", "-q")
    assert said.code == 0
    head, columns, *rows = said.out.splitlines()
    assert head == "directory  50% managed (2 of 4)"
    assert columns.split() == ["IDENTITY", "STANDING", "OWNER", "TYPE", "ACCESS", "CREDENTIALS", "USED", "RISKS"]
    assert rows[0].split() == ["api", "managed", "team", "workload", "1", "none", "unknown", "-"]
    assert rows[1].split()[:7] == ["ghost", "unmanaged", "-", "-", "1", "1,", "325d"]
    assert "unmanaged and has access (+2)" in rows[1]
    assert said.out.endswith("4 identities\nCoverage: 50% managed (2 of 4) in 1 target\n")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_line_is_wider_than_the_terminal(
    estate: Shop, line: Line, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are cut in the middle; whose it is never is."""
    estate.sql(GHOST, "l", "a-very-long-name-of-an-identity-that-somebody-made-by-hand-years-ago-" + "x" * 50)
    monkeypatch.setenv("COLUMNS", columns)
    for verbose in ((), ("-v",)):
        out = line("inventory", "-q", *verbose).out
        assert max(map(len, (text for text in out.splitlines() if "a-very-long" not in text))) <= int(columns)
    table = line("inventory", "-q").out.splitlines()
    assert max(map(len, table)) <= int(columns)
    assert [row for row in table if row.startswith("a-very-") and "unmanaged" in row]


def test_details_leave_nothing_out(estate: Shop, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fact of one identity, what is unknown included."""
    monkeypatch.setenv("COLUMNS", "160")
    out = line("inventory", "-v", "-q", "--match", "api").out
    for part in (
        "manifest     nhi/api  manifests/003.yaml:", "owner        team  (workload, low, service shop)", "role/reader",
        "read on db/*", "may be assumed by api", "credentials  none", "last used    unknown", "last change  2026-11-22",
        "labels       app=web",
    ):  # fmt: skip
        assert part in out
    ghost = line("inventory", "-v", "-q", "--match", "ghost").out
    assert "key k1; active; made 2026-01-01, 325 days ago; expires never; last used 2026-02-01, 294" in ghost
    assert "key k1 is 325 days old" in ghost


def test_json_fits_the_published_schema(estate: Shop, line: Line) -> None:
    """And tells coverage by target and in all, with positions and permissions."""
    data = checked(line("inventory", "-o", "json").out)
    assert data["coverage"]["percent"] == data["coverage"]["targets"]["directory"]["percent"] == 50
    assert data["count"] == {"shown": 4, "all": 4}
    api = data["identities"][0]
    assert (api["address"], api["subject"], api["standing"]) == ("directory/identity/api", "nhi/api", "managed")
    assert api["position"]["file"] == "manifests/003.yaml"
    assert api["lastUsed"] is None
    haunt = next(i for i in data["identities"] if i["name"] == "haunt")
    assert (haunt["lastUsed"], haunt["credentials"][0]["lastUsed"]) == ("", "")


def test_the_schema_is_published_and_describes_every_field(line: Line) -> None:
    """`nhictl schema inventory` prints it."""
    import jsonschema

    schema = json.loads(line("schema", "inventory").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    parts = [schema, *schema["$defs"].values()]
    assert all(p.get("description") for part in parts for p in part.get("properties", {}).values())


def test_csv_starts_no_formula(estate: Shop, line: Line) -> None:
    """Names that a spreadsheet would run are text, controls are escaped."""
    estate.sql(GHOST, "f", "=cmd|calc")
    estate.sql(GHOST, "t", "\tx\n+1")
    said = line("inventory", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert {"'=cmd|calc", "'\\tx\\n+1"} <= {row["name"] for row in rows}
    assert not [v for row in rows for v in row.values() if v.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]
    haunt = next(row for row in rows if row["name"] == "haunt")
    assert (haunt["last_used"], haunt["next_expiry"], haunt["enabled"]) == ("never", "never", "yes")
    assert next(row for row in rows if row["name"] == "api")["last_used"] == "unknown"


@pytest.mark.parametrize("text", ["\x1b[31m\x1b]0;owned\x07", "\u202egnp.exe\u2066", "a\n::error::boo", "a\u200bb"])
def test_hostile_names_come_out_escaped(estate: Shop, line: Line, text: str) -> None:
    """In every format; nothing moves the cursor or speaks to a CI runner."""
    estate.sql(GHOST, "e", text.replace(":", ";"))
    estate.sql("UPDATE permissions SET resource = ?", f"db/{text}")
    for words in ("", "-v", "-o json", "-o csv"):
        out = line("inventory", "-q", *words.split()).out
        assert not [c for c in out if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
        assert not any(row.lstrip().startswith("::") for row in out.splitlines())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--standing unmanaged", ["ghost", "haunt"]),
        ("--standing unmanaged --standing managed", ["api", "ghost", "haunt", "job"]),
        ("--owner team", ["api", "job"]),
        ("--type workload", ["api", "job"]),
        ("--type ai-agent", []),
        ("--tier low", ["api", "job"]),
        ("--provider local", ["api", "ghost", "haunt", "job"]),
        ("--match g*", ["ghost"]),
        ("-l app=web", ["api"]),
        ("--target directory", ["api", "ghost", "haunt", "job"]),
        ("--target nhi/job", ["job"]),
        ("--target directory/identity/ghost", ["ghost"]),
        ("--exclude nhi/job --exclude nhi/api", ["ghost", "haunt"]),
        ("--stale 90d", ["ghost", "haunt"]),
        ("--stale 310d", ["haunt"]),
        ("--stale 90d --match ghost", ["ghost"]),
    ],
)
def test_filters_narrow(estate: Shop, line: Line, words: str, found: list[str]) -> None:
    """The coverage stays that of everything."""
    assert names(line, *words.split()) == found
    assert json.loads(line("inventory", *words.split(), "-o", "json").out)["coverage"]["percent"] == 50


def test_an_unknown_last_use_is_told_and_not_stale(estate: Shop, line: Line) -> None:
    """Managed ones have no credentials here, so nobody knows; those made yesterday cannot be stale."""
    estate.sql("UPDATE identities SET created = '2026-01-01T00:00:00Z' WHERE name = 'api'")
    said = line("inventory", "--stale", "90d", "-q")
    assert "Unknown whether 1 more identity went unused for 90d: the provider does not tell" in said.out
    data = checked(line("inventory", "--stale", "90d", "-o", "json").out)
    assert data["stale"] == {"for": "90d", "unknown": 1}


def test_an_ignored_identity_tells_reason_and_end(estate: Shop, line: Line) -> None:
    """And does not count."""
    rule = {"match": {"names": ["ghost", "haunt"]}, "reason": "Terraform owns it", "expires": "2027-01-01"}
    configure(estate.root, ignore=[rule])
    data = checked(line("inventory", "-o", "json", "--standing", "ignored").out)
    assert [(i["reason"], i["until"]) for i in data["identities"]] == [("Terraform owns it", "2027-01-01")] * 2
    assert (data["coverage"]["percent"], data["coverage"]["ignored"]) == (100, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--target nothing", "nothing is named nothing"),
        ("--owner nobody", "no such owner here: nobody"),
        ("--provider aws", "no such provider here: aws"),
        ("--stale soon", "--stale: not a duration: soon"),
        ("--standing mine", "'mine' is not one of"),
        ("-l app", "not a selector"),
    ],
)
def test_a_typo_is_a_usage_error(estate: Shop, line: Line, words: str, said: str) -> None:
    """And not an empty inventory."""
    found = line("inventory", *words.split())
    assert found.code == 64
    assert said in found.err


def test_an_unreadable_target_is_unknown_and_the_exit_code_says_so(estate: Shop, line: Line) -> None:
    """The other targets are told; its identities do not count."""
    broken = estate.root / "broken.db"
    broken.write_bytes(b"not a directory" * 100)
    here = {"provider": "local", "path": "directory.db"}
    targets = {"directory": here, "broken": {"provider": "local", "path": "broken.db"}}
    for path in (estate.root / "manifests").glob("*.yaml"):
        data = yaml.safe_load(path.read_text())
        data["spec"] |= {"NHI": {"targets": ["directory"]}, "Role": {"target": "directory"}}.get(data["kind"], {})
        path.write_text(yaml.safe_dump(data))
    configure(estate.root, environments={"test": {"targets": targets}})
    said = line("inventory", "-q")
    assert said.code == 1
    assert said.out.startswith("Unreadable, nothing is known there\n  broken: ")
    assert "Unknown: 1 target could not be read and does not count" in said.out
    data = checked(line("inventory", "-o", "json").out)
    assert list(data["coverage"]["targets"]) == ["directory"]
    assert list(data["unreadable"]) == ["broken"]
    assert line("inventory", "--target", "directory").code == 0


def test_get_nhi_live_is_the_inventory(estate: Shop, line: Line) -> None:
    """With the same filters and formats."""
    for words in ("", "-v", "-o csv", "-o json --standing unmanaged", "--stale 90d"):
        assert line("get", "nhi", "--live", *words.split(), "-q").out == line("inventory", *words.split(), "-q").out


def test_get_nhi_lists_what_is_declared(shop: Shop, line: Line) -> None:
    """Without reading any target: nothing is applied yet."""
    said = line("get", "nhi")
    assert said.code == 0
    assert [row.split()[0] for row in said.out.splitlines()[1:3]] == ["api", "job"]
    found = json.loads(line("get", "nhi", "-o", "json", "-l", "app=web").out)
    assert [(row["name"], row["roles"], row["tier"]) for row in found] == [("api", ["reader"], "low")]
    assert line("get", "nhi", "-o", "csv", "--match", "j*").out.splitlines()[1].startswith("job,workload,team,low")
    assert not (shop.root / "directory.db").exists()


@pytest.mark.parametrize("words", ["--stale 90d", "--standing managed", "--target directory", "--provider local"])
def test_what_asks_for_live_facts_needs_live(shop: Shop, line: Line, words: str) -> None:
    """The manifests do not tell."""
    said = line("get", "nhi", *words.split())
    assert (said.code, "add --live" in said.err) == (64, True)


def test_before_anything_is_recorded_everything_is_unmanaged(shop: Shop, line: Line) -> None:
    """An inventory needs no ledger and makes none."""
    shop.converge()
    ledger = shop.root / ".nhictl"
    ledger.rename(shop.root / "away")
    data = checked(line("inventory", "-o", "json").out)
    assert {i["standing"] for i in data["identities"]} == {"orphan"}
    assert not ledger.exists()


ROLE_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


@pytest.fixture()
def account(
    tmp_path: Path, strict: Strict, aws_env: Mapping[str, str], aws_account: str, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A workspace on an AWS account in which others made a role, a user with a key, and AWS a role of its own."""
    import boto3

    for name, value in aws_env.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "aws"
    (root / "manifests").mkdir(parents=True)
    spec = {
        "manifests": ["manifests/"], "ledger": "file:.nhictl/ledger",
        "environments": {"test": {"targets": {"aws": {"provider": "aws", "account": aws_account}}}},
    }  # fmt: skip
    (root / "nhictl.yaml").write_text(yaml.safe_dump(document("Workspace", "shop", spec)))
    statements = [{"actions": ["s3:List*"], "resources": ["*"]}]
    block = {"inline": True, "statements": statements}
    viewer = document("Role", "viewer", {"owner": "team", "description": "x", "aws": block})
    ours = nhi("app", "viewer", identity={"awsService": {"service": "ec2.amazonaws.com"}})
    for number, manifest in enumerate((OWNER, viewer, ours)):
        (root / "manifests" / f"{number}.yaml").write_text(yaml.safe_dump(manifest))
    monkeypatch.chdir(root)
    iam = boto3.Session().client("iam", region_name="eu-central-1")
    iam.create_role(RoleName="OrganizationAccountAccessRole", AssumeRolePolicyDocument=ROLE_TRUST)
    iam.put_role_policy(RoleName="OrganizationAccountAccessRole", PolicyName="all", PolicyDocument=EVERYTHING)
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    iam.create_user(UserName="legacy")
    iam.create_access_key(UserName="legacy")
    return iam


def test_an_aws_account_is_told_with_its_roles_users_and_keys(account: Any, line: Line, strict: Strict) -> None:
    """What AWS owns does not count; a role that AWS made once and people may change does."""
    assert line("apply", "--yes", "-q").code == 0
    strict.calls.clear()
    strict.changes.clear()
    data = checked(line("inventory", "-o", "json").out)
    found = {i["name"]: i for i in data["identities"]}
    linked = next(name for name in found if name.startswith("AWSServiceRole"))
    assert {name: item["standing"] for name, item in found.items()} == {
        "app": "managed", "OrganizationAccountAccessRole": "unmanaged", "legacy": "unmanaged", linked: "builtin",
    }  # fmt: skip
    assert found["app"]["roles"] == ["role/viewer"]
    assert [p["resource"] for p in found["app"]["trust"]] == ["Service:ec2.amazonaws.com"]
    assert found["OrganizationAccountAccessRole"]["risks"] == ["may do everything", "unmanaged and has access"]
    assert found[linked]["reason"] == "service-linked role"
    (key,) = found["legacy"]["credentials"]
    assert (key["kind"], key["expires"], key["lastUsed"]) == ("access-key", "", "")
    assert data["coverage"]["percent"] == 33
    assert not strict.changes
    assert sum(strict.calls.values()) <= 10
    assert json.loads(line("plan", "-o", "json").out)["unmanaged"] == {"aws": 1}
