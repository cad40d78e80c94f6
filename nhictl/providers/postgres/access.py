"""What a login role may do, and what lets somebody become it, from resources alone. Pure.

Rules enforced here:
- a role that may not log in gives nothing and nobody becomes it;
- membership is followed as its options say: inherited at once, only by `SET ROLE` with that as a condition, or not;
- who has ADMIN OPTION on a group can grant it to itself: what the group has is told with that as a condition;
- before PostgreSQL 16 CREATEROLE grants every role but a superuser: opaque, for it may be anything;
- what PUBLIC has, every login has; a superuser has everything; an owner can do anything with what is its own. Which
  objects these are is not read but for databases, so ownership inside of one is opaque: it may be the object or not;
- a group that is not among the known resources, or that PostgreSQL brings along, is opaque: `group:NAME`;
- who else than the holder of its password may log in is in pg_hba.conf, out of reach;
- names are escaped, so that a table called `*` stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Address, Permission, Resource, canonical
from nhictl.providers.postgres.names import GROUP, KINDS, LOGIN, PUBLIC, STAR, meant

World = Mapping[Address, Resource]
Way = tuple[tuple[str, str], ...]
"""The steps to a role that take an act: what is done (`set role`, `granting itself`) and the group."""


def permissions(resource: Resource, known: World) -> Iterator[Permission]:
    """Yield the whole access of a login: by groups, PUBLIC, ownership and attributes; and who may become it."""
    if resource.address.kind != LOGIN or not resource.attributes.get("enabled"):
        return
    yield from reached(resource, known)
    everybody = known.get(Address(resource.address.target, GROUP, PUBLIC))
    if everybody is not None:
        yield from own(everybody, ())
    yield Permission("assume", "login", "holder of its password", source=str(resource.address))


def reached(role: Resource, known: World) -> Iterator[Permission]:
    """Yield what a role has itself and through its memberships, each role once on the widest way to it."""
    best: set[str] = set()
    queue: list[tuple[Resource, Way]] = [(role, ())]
    while queue:
        queue.sort(key=lambda step: _narrowness(step[1]))
        found, through = queue.pop(0)
        if found.address.name in best:
            continue
        best.add(found.address.name)
        yield from own(found, through)
        for group, text in sorted(_memberships(found).items()):
            yield from _administered(found, group, text, through)
            way = _onward(through, group, text.split())
            if way is None:
                continue
            target = _role(found.address.target, group, known)
            if target is None or group.startswith("pg_"):
                yield Permission("allow", f"group:{group}", "*", _condition(way), source=str(found.address))
            else:
                queue.append((target, way))


def _narrowness(way: Way) -> tuple[int, int]:
    return sum(done == _GRANTING for done, _ in way), len(way)


def _onward(through: Way, group: str, words: list[str]) -> Way | None:
    """Return the way on into a group by the options of a membership; None when there is none."""
    if "inherit" in words:
        return through
    done = _SETTING if "set" in words else _GRANTING if "admin" in words else ""
    return (*through, (done, group)) if done else None


def _memberships(role: Resource) -> Mapping[str, str]:
    found = role.attributes.get("memberships")
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def _role(target: str, name: str, known: World) -> Resource | None:
    return next((known[a] for kind in KINDS if (a := Address(target, kind, name)) in known), None)


def _administered(role: Resource, group: str, text: str, through: Way) -> Iterator[Permission]:
    if "admin" in text.split():
        yield Permission("allow", "ADMIN", f"role/{part(group)}", _condition(through), source=str(role.address))


_SETTING, _GRANTING = "set role", "granting itself"
_ATTRIBUTES = {
    "superuser": ("*", "*"), "createrole": ("CREATEROLE", "role/*"), "createdb": ("CREATEDB", "*"),
    "replication": ("REPLICATION", "*"), "bypassrls": ("BYPASSRLS", "*"),
}  # fmt: skip


def own(role: Resource, through: Way) -> Iterator[Permission]:
    """Yield what one role has itself, under the condition of the steps to it."""
    source, attributes = str(role.address), role.attributes
    for action, where, condition in (*_inherent(role, through), *_granted(attributes, through)):
        yield Permission("allow", action, where, condition, source=source)


def _inherent(role: Resource, through: Way) -> Iterator[tuple[str, str, str]]:
    """Yield what a role can do by its attributes and by what it owns."""
    for fact, (action, where) in _ATTRIBUTES.items():
        if role.facts.get(fact):
            yield action, where, _condition(through)
    if role.facts.get("grants_any_role"):
        yield "group:any role but superusers", "*", _condition((*through, (_GRANTING, "any role")))
    databases = role.facts.get("owns_databases")
    databases = databases if isinstance(databases, tuple) else ()
    for name in databases:
        yield "*", part(str(name)), _condition(through, own="the database, not what is in it")
    owned = role.facts.get("owns")
    for database, count in sorted(owned.items()) if isinstance(owned, Mapping) else ():
        if not database and count == len(databases):
            continue
        where = f"{part(database)}/*" if database else "*"
        yield "policy:OWNER", where, _condition(through, own="objects it owns")


def _granted(attributes: Mapping[str, Any], through: Way) -> Iterator[tuple[str, str, str]]:
    for row in attributes.get("grants") or ():
        for privilege in str(row["privileges"]).split():
            yield privilege, place(row), _condition(through, besides=str(row["except"]))
    for row in attributes.get("other_grants") or ():
        option = " WITH GRANT OPTION" if row["option"] else ""
        for privilege in str(row["privileges"]).split():
            yield f"{privilege}{option}", place(row), _condition(through)
    for row in attributes.get("default_privileges") or ():
        where = f"{part(row['database'])}/{part(row['schema']) if row['schema'] else '*'}/{row['on']}/*"
        for privilege in str(row["privileges"]).split():
            yield privilege, where, _condition(through, made_by=str(row["owner"]))


def _condition(through: Way, **more: str) -> str:
    found: dict[str, Any] = {key.replace("_", " "): text for key, text in more.items() if text}
    for done, group in through:
        found.setdefault(done, []).append(group)
    return canonical(found).decode() if found else ""


def place(row: Mapping[str, Any]) -> str:
    """Return the resource of a permission: `ledger`, `ledger/public`, `ledger/public/table/entries`."""
    on, name = str(row["on"]), str(row["name"])
    database = part(str(row["database"])) if row["database"] else ""
    if on == "database":
        return part(name)
    if on == "schema":
        return f"{database}/{part(name)}"
    last = STAR if name == STAR else part(meant(on, name))
    column = f"/column/{part(str(row['column']))}" if row.get("column") else ""
    steps = [database, part(str(row["schema"])) if row["schema"] else "", "table" if column else on, last]
    return "/".join(step for step in steps if step) + column


def part(text: str) -> str:
    """Return a name as one part of a resource: wildcards and separators escaped as in URLs."""
    return "".join(f"%{ord(c):02X}" if c in "%*?/$" else c for c in text)
