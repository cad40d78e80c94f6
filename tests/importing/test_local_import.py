"""Importing an embedded directory: everything in it, odd as it may be."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.commandline import Shell
from tests.importing.suite import brought_under_management, files, imported, shell_ok, workspace
from tests.support import THOUSANDS

HOSTILE = (
    "../../etc/passwd",
    "con",
    "a, b}",
    "- x",
    "no",
    "*anchor",
    "&ref",
    "${env.name}",
    "#",
    "é",
    "x" * 128,
    "'\"",
)


class Directory:
    """An embedded directory that somebody else filled."""

    def __init__(self, root: Path) -> None:
        self.file = root / "directory.db"
        self.target = {"provider": "local", "path": "directory.db"}

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement on the directory."""
        if not self.file.exists():
            from nhictl.providers.local.store import APPLICATION_ID, SCHEMA, VERSION

            db = sqlite3.connect(self.file)
            for made in SCHEMA:
                db.execute(made)
            db.execute("INSERT INTO directory VALUES ('11111111-1111-4111-8111-111111111111')")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {VERSION}")
            db.commit()
            db.close()
        db = sqlite3.connect(self.file)
        try:
            found = db.execute(statement, values).fetchall()
            db.commit()
            return found
        finally:
            db.close()

    def many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for many rows."""
        self.sql("SELECT 1")
        db = sqlite3.connect(self.file)
        db.executemany(statement, rows)
        db.commit()
        db.close()

    def seed(self, number: int) -> None:
        """Make identities with a role each, and every tenth with a connection."""
        proof = [
            '{"local":{}}',
            '{"githubActions":{"branch":"main","repository":"example/shop"}}',
            '{"odd":{"n":1}}',
            "{}",
        ]
        roles = max(1, number // 10)
        self.many(
            "INSERT INTO identities (id, name, type, owner, purpose, service, labels, proof, credentials)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    f"i{n}",
                    f"Service_{n}",
                    ("workload", "service-account")[n % 2],
                    ("team", "", "nobody")[n % 3],
                    ("", f"Job {n}: yes")[n % 2],
                    ("shop", "", "Über")[n % 3],
                    json.dumps({"cost": str(n), "äö": "x"}, ensure_ascii=False, separators=(",", ":")),
                    proof[n % 4],
                    ("{}", '{"kind":"password","max_ttl":3601}')[n % 2],
                )
                for n in range(number)
            ],
        )
        self.many(
            "INSERT INTO roles (id, name, description) VALUES (?, ?, ?)",
            [(f"r{n}", f"role {n}", ("", "May: read")[n % 2]) for n in range(roles)],
        )
        self.many(
            "INSERT INTO permissions VALUES (?, ?, ?, ?)",
            [
                (f"r{n}", f"db/{verb}", f"t/${{x}}/{n}", cond)
                for n in range(roles)
                for verb, cond in (("read", ""), ("write", '{"hour":[1,2]}'), ("odd", "not json"))
            ],
        )
        self.sql(
            "INSERT INTO connections (id, name, issuer, audiences) VALUES ('c1', 'GitHub', ?, ?)",
            '{"githubActions":{"organization":"example"}}', '["https://a.example.com"]',
        )  # fmt: skip
        self.many(
            "INSERT INTO grants (id, identity_id, role_id, connection_id, expires) VALUES (?, ?, ?, ?, ?)",
            [(f"g{n}", f"i{n}", f"r{n % roles}", "c1" if n % 10 == 1 else None, "") for n in range(number)],
        )

    def live(self) -> Any:
        """Return all rows without the marks."""
        found = {}
        for table in ("identities", "roles", "connections", "grants", "permissions"):
            names = [row[1] for row in self.sql(f"PRAGMA table_info({table})") if not row[1].startswith("mark_")]
            found[table] = sorted(self.sql(f"SELECT {', '.join(names)} FROM {table}"))
        return found


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A command line in an empty workspace."""
    return Shell(tmp_path, capsys, [])


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """An empty directory in the same place."""
    return Directory(tmp_path)


@pytest.mark.parametrize("number", [10, 100, pytest.param(1000, marks=THOUSANDS)])
def test_a_directory_is_brought_under_management(directory: Directory, shell: Shell, number: int):
    """Ten identities or a thousand: imported, adopted, and nothing left to do."""
    brought = brought_under_management(directory, shell, number)
    assert len(brought.of("NHI")) == number
    assert len(brought.of("Role")) == max(1, number // 10)


def test_what_cannot_be_said_is_kept_and_told(directory: Directory, shell: Shell):
    """A proof of an unknown kind stays, and the comment shows it."""
    brought_under_management(directory, shell, 10)
    [text] = [t for t in files(shell.root).values() if b"Service_2" in t]
    assert b"existing: {}" in text
    assert b'# - proof stays as it is: {"odd": {"n": 1}}' in text
    directory.sql("UPDATE identities SET service = 'other' WHERE name = 'Service_2'")
    shell_ok(shell("apply", "--yes"))
    assert directory.sql("SELECT proof FROM identities WHERE name = 'Service_2'") == [('{"odd":{"n":1}}',)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name(directory: Directory, shell: Shell, name: str):
    """Whatever a thing is called: the file lies in its folder, and the name comes back as it is."""
    workspace(shell.root, directory.target)
    directory.sql("INSERT INTO identities (id, name, type, purpose) VALUES ('i', ?, 'workload', ?)", name, name)
    directory.sql("INSERT INTO roles (id, name, description) VALUES ('r', ?, ?)", name, name)
    directory.sql("INSERT INTO permissions VALUES ('r', ?, ?, '')", name, name)
    before = directory.live()
    shell_ok(imported(shell))
    shell_ok(shell("fmt", "--check"))
    shell_ok(shell("adopt", "estate", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0
    assert directory.live() == before
    assert sorted(p.parent.name for p in (shell.root / "manifests").rglob("*.yaml")) == ["manifests", "nhis", "roles"]


@pytest.mark.parametrize("name", ["a\x07b", "a\u202eb", "a\u200bb", "line\nfeed"])
def test_a_name_that_nobody_can_read_is_left_out_and_said(directory: Directory, shell: Shell, name: str):
    """No manifest may hold a character that a reviewer cannot see: the object is named with the reason, visibly."""
    workspace(shell.root, directory.target)
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('i', ?, 'workload')", name)
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('j', 'plain', 'workload')")
    said = imported(shell)
    assert said.code == 7
    assert "could not be said" in said.err
    assert name not in said.err
    assert "plain.yaml" in said.out


def test_two_names_that_look_alike_get_names_of_their_own(directory: Directory, shell: Shell):
    """The object that has the name keeps it, whatever the order; the others are told apart by their address."""
    workspace(shell.root, directory.target)
    for number, name in enumerate(("Shop API", "shop-api", "shop_api")):
        directory.sql("INSERT INTO identities (id, name, type) VALUES (?, ?, 'workload')", f"i{number}", name)
    shell_ok(imported(shell))
    names = sorted(p.stem for p in (shell.root / "manifests" / "nhis").iterdir())
    assert names[0] == "shop-api"
    assert all(len(n) == len("shop-api-000000") for n in names[1:])
    text = (shell.root / "manifests" / "nhis" / "shop-api.yaml").read_text()
    assert "nativeName" not in text


def test_what_matches_brings_its_roles_and_grants(directory: Directory, shell: Shell):
    """One identity by name comes with its role, its grant and its connection, and with nothing else."""
    workspace(shell.root, directory.target)
    directory.seed(20)
    shell_ok(imported(shell, "--match", "Service_1"))
    assert sorted(files(shell.root)) == [
        "connections/github.yaml", "nhis/service-1.yaml", "owners.yaml", "roles/role-1.yaml",
    ]  # fmt: skip
    shell_ok(shell("adopt", "--all", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0
    shell_ok(imported(shell))
    shell_ok(shell("adopt", "--all", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0


def test_an_owner_is_asked_for_and_never_made_up(directory: Directory, shell: Shell):
    """What names no owner needs one; an Owner that does not exist is refused."""
    workspace(shell.root, directory.target)
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('i', 'api', 'workload')")
    said = shell("import")
    assert said.code == 64
    assert "who answers for estate/identity/api" in said.err
    unknown = shell("import", "--owner", "teem")
    assert unknown.code == 64
    assert "did you mean `team`" in unknown.err


def test_an_object_that_names_its_owner_has_that_one(directory: Directory, shell: Shell):
    """The owner in an attribute or a label counts where an Owner is called so, by name or by display name."""
    workspace(shell.root, directory.target)
    directory.sql("INSERT INTO identities (id, name, type, owner) VALUES ('i', 'api', 'workload', 'team')")
    directory.sql(
        "INSERT INTO identities (id, name, type, labels) VALUES ('j', 'web', 'workload', '{\"team\":\"Team\"}')"
    )
    said = shell_ok(shell("import"))
    assert said.out.count("owner: team") == 2


@pytest.mark.parametrize(("group", "folder"), [("owner", "team"), ("provider", "local")])
def test_manifests_can_be_grouped(directory: Directory, shell: Shell, group: str, folder: str):
    """By owner or by provider, one folder each."""
    workspace(shell.root, directory.target)
    directory.seed(3)
    shell_ok(imported(shell, "--group-by", group))
    assert {name.split("/")[0] for name in files(shell.root)} == {folder, "owners.yaml"}


def test_a_rule_leaves_objects_out(directory: Directory, shell: Shell):
    """What a rule of the workspace leaves alone is named with the reason, and gets no manifest."""
    rule = {"match": {"names": ["terraform-*"]}, "reason": "Terraform manages it"}
    workspace(shell.root, directory.target, ignore=[rule])
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('i', 'terraform-ci', 'workload')")
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('j', 'api', 'workload')")
    said = shell_ok(imported(shell))
    assert "terraform-ci: Terraform manages it" in said.err
    assert "terraform" not in said.out


def test_a_grant_to_what_has_no_manifest_is_said_in_a_comment(directory: Directory, shell: Shell):
    """A role that a rule leaves alone is not referred to: the comment names it, and nothing is guessed."""
    rule = {"match": {"kinds": ["role"]}, "reason": "Terraform manages it"}
    workspace(shell.root, directory.target, ignore=[rule])
    directory.seed(1)
    shell_ok(imported(shell))
    text = (shell.root / "manifests" / "nhis" / "service-0.yaml").read_text()
    assert "grants" not in text
    assert "estate/role/role 0 has no manifest and is left out" in text


def test_no_file_is_overwritten(directory: Directory, shell: Shell):
    """A file that is there already stays; the manifest goes beside it."""
    workspace(shell.root, directory.target)
    directory.sql("INSERT INTO identities (id, name, type) VALUES ('i', 'api', 'workload')")
    (shell.root / "manifests" / "nhis").mkdir()
    other = shell.root / "manifests" / "nhis" / "api.yaml"
    other.write_text("# notes\n")
    said = shell_ok(imported(shell))
    assert other.read_text() == "# notes\n"
    assert "nhis/api-" in said.out
    (shell.root / "elsewhere").mkdir()
    (shell.root / "manifests" / "roles").symlink_to(shell.root / "elsewhere")


def test_a_link_on_the_way_is_refused(directory: Directory, shell: Shell):
    """A folder that is a link leads somewhere else: nothing is written at all."""
    workspace(shell.root, directory.target)
    directory.seed(1)
    (shell.root / "elsewhere").mkdir()
    (shell.root / "manifests" / "roles").symlink_to(shell.root / "elsewhere")
    said = imported(shell)
    assert said.code == 1
    assert list((shell.root / "elsewhere").iterdir()) == []
    assert not (shell.root / "manifests" / "nhis").exists()


def test_what_another_workspace_manages_is_left_out(directory: Directory, shell: Shell):
    """The mark of another workspace is a manager's: no manifest."""
    workspace(shell.root, directory.target)
    directory.sql(
        "INSERT INTO identities (id, name, type, mark_owner, mark_ref, mark_operation)"
        " VALUES ('i', 'api', 'workload', 'other/prod', 'nhi/api', 'x')"
    )
    said = shell_ok(imported(shell))
    assert said.out == ""
    assert "carries the mark of other/prod" in said.err


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=40, deadline=None)
@given(
    name=TEXTS.filter(lambda t: t and ":" not in t and "\x00" not in t), purpose=TEXTS.filter(lambda t: "\x00" not in t)
)
def test_any_text_comes_back_or_is_refused(tmp_path_factory, name, purpose):
    """Every text of the directory is either written so that the plan is empty, or left out with a reason."""
    from nhictl.importing import Given, LiveTarget
    from nhictl.importing import imported as made
    from nhictl.manifest.fmt import format_text
    from nhictl.manifest.validate import validate
    from nhictl.model import Address, Resource
    from nhictl.providers.local.adapter import adapter

    root = tmp_path_factory.mktemp("any")
    workspace(root, {"provider": "local", "path": "directory.db"})
    checked = validate(root, today=_today())
    environment = checked.workspace.environments["test"]
    attributes = {
        "enabled": True, "type": "workload", "owner": "team", "purpose": purpose, "service": "", "labels": {},
        "proof": {"local": {}}, "credentials": {},
    }  # fmt: skip
    at = Address("estate", "identity", name)
    live = LiveTarget(environment.targets[0], adapter, {at: Resource(at, attributes)})
    found = made(Given(checked, environment, (live,), {}, {}, _today(), owner="team"))
    assert len(found.manifests) + len(found.refused) == 1
    for manifest in found.manifests:
        assert format_text(manifest.text, manifest.path) == manifest.text


def _today():
    import datetime as dt

    return dt.date(2026, 11, 22)


def test_what_is_imported_is_limited_to_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With two environments and two targets of one provider, each manifest says which ones it is for."""
    one, two = Directory(tmp_path), Directory(tmp_path)
    two.file = tmp_path / "two.db"
    other = {"provider": "local", "path": "two.db"}
    environments = {
        "test": {"targets": {"estate": one.target, "second": other}},
        "prod": {"targets": {"third": {"provider": "local", "path": "three.db"}}},
    }
    workspace(tmp_path, one.target, environments=environments)
    one.seed(3)
    two.seed(3)
    shell = Shell(tmp_path, capsys, [])
    shell_ok(imported(shell, "-e", "test"))
    shell_ok(shell("validate"))
    shell_ok(shell("adopt", "-e", "test", "second", "--yes"))
    assert shell("plan", "-e", "test", "--target", "second", "--detailed-exitcode").code == 0
    shell_ok(shell("adopt", "-e", "test", "--all", "--yes"))
    assert shell("plan", "-e", "test", "--detailed-exitcode").code == 0
    assert shell("plan", "-e", "prod", "--detailed-exitcode").code == 0
    again = imported(shell, "-e", "test")
    assert again.out == ""
