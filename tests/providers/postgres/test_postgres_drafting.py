"""Manifests made from live roles: compiled again they are what is live, kept fields aside."""

from __future__ import annotations

import yaml

from nhictl.model import Address
from nhictl.providers.base import Ref
from tests.providers.postgres.conftest import address

ESTATE = """
CREATE ROLE "reader group"; CREATE ROLE writer; CREATE ROLE empty; CREATE ROLE "Zoë's ""app"" x" LOGIN;
CREATE ROLE importer LOGIN CREATEDB PASSWORD 'x' CONNECTION LIMIT 4; CREATE ROLE off; CREATE ROLE boss SUPERUSER LOGIN;
CREATE ROLE used LOGIN; CREATE ROLE options LOGIN;
GRANT "reader group" TO writer; GRANT "reader group" TO "Zoë's ""app"" x"; GRANT writer, pg_monitor, used TO importer;
GRANT writer TO options WITH ADMIN OPTION;
GRANT CONNECT, TEMPORARY ON DATABASE ledger, warehouse TO "reader group";
GRANT USAGE ON SCHEMA books TO "reader group", writer; GRANT SELECT ON books.entries, books.accounts TO "reader group";
CREATE TABLE books."*" (x int); GRANT SELECT ON books."*" TO "reader group";
GRANT INSERT, DELETE ON books.entries TO writer; GRANT USAGE ON SEQUENCE books.numbers TO writer;
GRANT EXECUTE ON FUNCTION books.total TO writer; GRANT UPDATE (amount) ON books.entries TO writer;
GRANT SELECT ON books.accounts TO writer WITH GRANT OPTION; GRANT SELECT ON books.accounts TO importer;
ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner IN SCHEMA books GRANT SELECT ON TABLES TO "reader group";
ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner GRANT USAGE ON SEQUENCES TO writer;
GRANT CREATE ON SCHEMA books TO importer; SET ROLE importer; CREATE TABLE books.own (x int);
"""


def imported(world):
    """Return what is live and the drafts of everything."""
    live = world.snapshot()
    return live, list(world.adapter.drafts(live, tuple(live)))


def manifest(draft, names):
    """Return a draft's manifest, as the core would write it."""

    def filled(value):
        if isinstance(value, Ref):
            return names[value.address]
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        return [filled(v) for v in value] if isinstance(value, (list, tuple)) and not isinstance(value, str) else value

    usual = {"owner": "team", "purpose": "p", "type": "workload"}
    spec = {**usual, **filled(dict(draft.spec)), "nativeName": draft.name}
    return {"kind": draft.kind, "metadata": {"name": names[draft.addresses[0]]}, "spec": spec}


def compiled(world, drafts):
    """Return the resources that the drafts' manifests mean."""
    names = {d.addresses[0]: f"object-{number}" for number, d in enumerate(drafts)}
    text = yaml.safe_dump_all([manifest(d, names) for d in drafts], allow_unicode=True)
    return world.desired(text)


def with_kept(value, live, keep):
    """Return attributes with the kept ones as they are live."""
    found = dict(value)
    for entry in keep:
        field, _, key = entry.partition(".")
        found[field] = {**found[field], key: live[field][key]} if key else live[field]
    return found


def test_drafts_give_back_what_is_live(estate, world):
    """Every attribute of every role, by manifest or kept."""
    estate.script(ESTATE, "ledger")
    live, drafts = imported(world)

    desired = compiled(world, drafts)

    for draft in drafts:
        (at,) = draft.addresses
        attributes = with_kept(desired[at].attributes, live[at].attributes, draft.keep)
        assert attributes == dict(live[at].attributes), at


def test_what_cannot_be_said_is_kept_and_told(estate, world):
    """And nothing else is kept."""
    estate.script(ESTATE, "ledger")

    kept = {d.name: (d.keep, d.notes) for d in imported(world)[1]}

    assert {name: keep for name, (keep, _) in kept.items() if keep} == {
        "writer": ("other_grants",),
        "options": ("memberships.writer",),
        "importer": ("memberships.pg_monitor", "memberships.used", "grants"),
    }
    assert any("books" not in note and "owns objects (1 in ledger)" in note for note in kept["importer"][1])
    assert any("CREATEDB" in note for note in kept["importer"][1])


def test_drafts_are_of_what_can_be_managed(estate, world):
    """None of PostgreSQL's own roles, not PUBLIC."""
    estate.script(ESTATE, "ledger")

    names = {d.name for d in imported(world)[1]}

    assert {"postgres", "public", "pg_monitor"} & names == set()
    assert names >= {"boss", "reader group", "writer", "empty", "off", 'Zoë\'s "app" x', "importer", "used"}


def test_an_adopted_import_plans_nothing_more(estate, world):
    """With the kept fields filled in, as the core does, adopting changes only marks."""
    estate.script(
        "CREATE ROLE reader; CREATE ROLE app LOGIN PASSWORD 'x'; GRANT reader TO app;"
        "GRANT USAGE ON SCHEMA books TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA books TO reader", "ledger",
    )  # fmt: skip
    _, drafts = imported(world)
    some = [d for d in drafts if d.name in ("reader", "app", "ledger_owner")]
    names = {d.addresses[0]: d.name.replace("_", "-") for d in some}
    text = yaml.safe_dump_all([manifest(d, names) for d in some])
    before = estate.sql("SELECT relacl::text FROM pg_class WHERE relname = 'entries'", database="ledger")

    world.converge(text, adopt=True)

    assert world.pending(text) == []
    assert estate.sql("SELECT relacl::text FROM pg_class WHERE relname = 'entries'", database="ledger") == before
    assert isinstance(address("login", "app"), Address)
