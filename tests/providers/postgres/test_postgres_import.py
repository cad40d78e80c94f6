"""A server that nobody managed, imported and adopted by the commands people type."""

from __future__ import annotations

import yaml

from tests.examples.test_postgres_example import nhictl
from tests.providers.postgres.test_postgres_drafting import ESTATE

API = "nhictl.dev/v1alpha1"


def test_after_import_and_adoption_nothing_is_left_to_plan(estate, pg_env, tmp_path):
    """Everything is managed, no grant, membership or attribute of any role has changed."""
    estate.script(ESTATE, "ledger")
    target = {"provider": "postgres", "host": "127.0.0.1", "port": estate.port}
    spec = {"ledger": "file:.nhictl/ledger", "environments": {"prod": {"targets": {"db": target}}}}
    team = {"type": "team", "displayName": "Team", "contact": {"email": "team@example.com"}}
    for file, kind, name, body in (
        ("nhictl.yaml", "Workspace", "shop", spec),
        ("manifests/t.yaml", "Owner", "team", team),
    ):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        found = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": body}
        (tmp_path / file).write_text(yaml.safe_dump(found))
    before = _everything(estate)

    done = [
        nhictl(tmp_path, *words)
        for words in (
            ["import", "db", "--owner", "team", "--write", "manifests"],
            ["adopt", "--all", "--yes"],
            ["plan", "--detailed-exitcode"],
        )
    ]

    assert [code for code, _ in done] == [0, 0, 0], done
    assert "No changes: 10 resources as declared" in done[2][1]
    assert _everything(estate) == before


def _everything(pg):
    inside = "SELECT relname, relacl::text FROM pg_class WHERE relacl IS NOT NULL AND oid >= 16384 ORDER BY 1"
    return [
        pg.sql("SELECT to_jsonb(a) FROM pg_authid a ORDER BY oid"),
        pg.sql("SELECT to_jsonb(m) FROM pg_auth_members m ORDER BY roleid, member"),
        pg.sql("SELECT datname, datacl::text FROM pg_database ORDER BY 1"),
        pg.sql(inside, database="ledger"),
        pg.sql("SELECT to_jsonb(d) FROM pg_default_acl d ORDER BY oid", database="ledger"),
    ]
