"""Manifests for roles that are live. Pure.

Rules enforced here:
- a login becomes an NHI with a grant for each group it is in; a group becomes a Role with its grants;
- what the language cannot say is kept and told: options of memberships, direct grants of a login, privileges on
  columns, types and the like, grant options; ownership and attributes stay as they are without being kept;
- PostgreSQL's own roles give no draft.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nhictl.model import Address, Resource
from nhictl.providers.base import Draft, Ref
from nhictl.providers.postgres.names import GROUP, LOGIN, MEMBER

World = Mapping[Address, Resource]
_LISTS = {"table": "tables", "sequence": "sequences", "function": "functions"}
_LONGEST = 256
_FACTS = {
    "superuser": "it is a superuser", "createrole": "it has CREATEROLE", "createdb": "it has CREATEDB",
    "replication": "it has REPLICATION", "bypassrls": "it has BYPASSRLS",
}  # fmt: skip


def drafts(live: World, wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield a manifest for each wanted role that can be managed, groups first."""
    for address in sorted(set(wanted) & set(live), key=lambda a: (a.kind != GROUP, a)):
        role = live[address]
        if not role.facts.get("builtin"):
            yield _login(role, live) if address.kind == LOGIN else _group(role)


def _login(role: Resource, live: World) -> Draft:
    groups, keep, notes = [], [], _notes(role)
    for name, text in _memberships(role).items():
        group = live.get(Address(role.address.target, GROUP, name))
        if group is not None and not group.facts.get("builtin") and text == MEMBER:
            groups.append({"role": Ref(group.address)})
        else:
            keep.append(f"memberships.{name}")
            notes.append(_membership_note(name, text, group))
    spec: dict[str, Any] = {"type": "service-account", "identity": {"postgres": {"login": role.address.name}}}
    limit = role.attributes.get("connection_limit")
    if isinstance(limit, int) and limit >= 0:
        spec["identity"]["postgres"]["connectionLimit"] = limit
    if groups and role.attributes.get("enabled") is True:
        spec["grants"] = groups
    elif groups:
        keep += [f"memberships.{group['role'].address.name}" for group in groups]
        notes.append("it may not log in; its groups are kept, for a disabled NHI has none")
    if role.attributes.get("enabled") is not True:
        spec["enabled"] = False
    if role.facts.get("credentials"):
        spec["credentials"] = {"kind": "password"}
    for field in ("grants", "default_privileges", "other_grants"):
        if role.attributes.get(field):
            keep.append(field)
            notes.append(f"it has {_direct(field)} of its own: kept; move them to a Role")
    return Draft("NHI", role.address.name, spec, (role.address,), tuple(keep), tuple(notes))


def _direct(field: str) -> str:
    return {"grants": "grants", "default_privileges": "default privileges"}.get(field, "other grants")


def _membership_note(name: str, text: str, group: Resource | None) -> str:
    if group is None:
        return f"it is a member of `{name}`, which may log in: kept"
    if group.facts.get("builtin"):
        return f"it is a member of `{name}`, PostgreSQL's own: kept; a Role with `memberOf` would say it"
    return f"its membership in `{name}` has the options `{text}`: kept"


def _memberships(role: Resource) -> Mapping[str, str]:
    found = role.attributes.get("memberships")
    return {str(k): str(v) for k, v in sorted(found.items())} if isinstance(found, Mapping) else {}


def _notes(role: Resource) -> list[str]:
    notes = [text for fact, text in _FACTS.items() if role.facts.get(fact)]
    owned = role.facts.get("owns")
    if isinstance(owned, Mapping):
        places = ", ".join(f"{count} in {database or 'the cluster'}" for database, count in sorted(owned.items()))
        notes.append(f"it owns objects ({places}): they stay its own")
    return notes


def _group(role: Resource) -> Draft:
    keep, notes, above = [], _notes(role), []
    for name, text in _memberships(role).items():
        if text == MEMBER:
            above.append(name)
        else:
            keep.append(f"memberships.{name}")
            notes.append(f"its membership in `{name}` has the options `{text}`: kept")
    if role.attributes.get("other_grants"):
        keep.append("other_grants")
        notes.append("it has grant options, or privileges on columns, types or the like: kept")
    if role.attributes.get("can_login"):
        keep.append("can_login")
        notes.append("it may log in though it is a group: kept")
    block = _block(role)
    if above:
        block["memberOf"] = above
    return Draft("Role", role.address.name, {"postgres": block}, (role.address,), tuple(keep), tuple(notes))


def _block(role: Resource) -> dict[str, Any]:
    rows: list[Mapping[str, Any]] = list(role.attributes.get("grants") or ())  # type: ignore[arg-type]
    future: list[Mapping[str, Any]] = list(role.attributes.get("default_privileges") or ())  # type: ignore[arg-type]
    counted = Counter(str(row["database"]) for row in [*rows, *future])
    main = min(counted, key=lambda name: (-counted[name], name), default="")
    block: dict[str, Any] = {"database": main} if main else {}
    if rows:
        block["grants"] = list(_grants(rows, main))
    if future:
        block["defaultPrivileges"] = [_default(row, main) for row in future]
    return block


def _grants(rows: Collection[Mapping[str, Any]], main: str) -> Iterator[dict[str, Any]]:
    together: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        schema = row["name"] if row["on"] == "schema" else row["schema"]
        together[row["database"], row["on"], str(schema), row["privileges"]].append(str(row["name"]))
    for (database, on, schema, privileges), names in sorted(together.items(), key=_reading_order):
        entry: dict[str, Any] = {"database": database} if database != main else {}
        if schema:
            entry["schema"] = schema
        for start in range(0, len(names), _LONGEST):
            some = {_LISTS[on]: names[start : start + _LONGEST]} if on in _LISTS else {}
            yield {**entry, **some, "privileges": privileges.split()}


def _reading_order(item: tuple[tuple[str, str, str, str], list[str]]) -> tuple[Any, ...]:
    (database, on, schema, privileges), names = item
    return database, ("database", "schema", "table", "sequence", "function").index(on), schema, names, privileges


def _default(row: Mapping[str, Any], main: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"database": row["database"]} if row["database"] != main else {}
    if row["schema"]:
        entry["schema"] = row["schema"]
    return {**entry, "owner": row["owner"], "objects": row["on"], "privileges": str(row["privileges"]).split()}
