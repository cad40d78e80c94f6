"""What an estate means in one PostgreSQL server: group roles with their grants, and login roles. Pure.

Rules enforced here:
- a Role becomes a group role that may not log in; an NHI becomes a login role that has its access through groups only;
- an NHI without a `postgres` or `existing` identity becomes a login when a standing grant leads here, expired or not;
- disabled or expired, a login stays, may not log in, and is in no group;
- everything refused is a diagnostic with its position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI
from nhictl.kinds.role import Role
from nhictl.model import Address, Diagnostic, Document, Resource, Severity, Value
from nhictl.providers.base import Compiled
from nhictl.providers.postgres import rows
from nhictl.providers.postgres.names import (
    FUTURE,
    GROUP,
    LOGIN,
    MEMBER,
    PRIVILEGES,
    STAR,
    meant,
    role_problem,
    shown,
    signature,
)
from nhictl.providers.postgres.rows import DEFAULT, Object

_LISTS = {"tables": "table", "sequences": "sequence", "functions": "function"}
_PATH = ("spec", "postgres")
Granted = dict[tuple[str, Object], set[str]]


@dataclass(slots=True)
class Composition:
    """One compile in progress: the estate, what was said, and the groups by role name."""

    estate: Estate
    groups: dict[str, Resource] = field(default_factory=dict)
    taken: dict[str, tuple[str, Document]] = field(default_factory=dict)
    said: list[Diagnostic] = field(default_factory=list)

    def say(self, document: Document, *path: str | int, code: str, summary: str, hint: str = "") -> None:
        """Add a diagnostic about a place in a manifest; codes with W are warnings."""
        level = Severity.WARNING if code.startswith("W") else Severity.ERROR
        self.said.append(Diagnostic(code, summary, document.span(*path), severity=level, hint=hint))

    def named(self, kind: str, item: NHI | Role, name: str, path: tuple[str, ...]) -> tuple[Address, Address | None]:
        """Return the address of an object and the one it is renamed from; say what is wrong with its name."""
        target, names = self.estate.target.name, self.estate.names
        former = names.get((item.ref, kind)) or names.get((self.estate.previous.get(item.ref, ""), kind))
        if problem := role_problem(name):
            self.say(
                item.document, *path, code="E552", summary=f"{item.ref}: no role can be called `{name}`", hint=problem
            )
        first = self.taken.setdefault(name, (item.ref, item.document))
        if first[0] != item.ref:
            self.say(
                item.document, *path, code="E553", summary=f"{item.ref} and {first[0]} would both be the role `{name}`",
                hint="logins and groups share one name space: give one another name",
            )  # fmt: skip
        address = Address(target, kind, name)
        return address, Address(target, kind, former) if former and former != name else None


def compile_estate(estate: Estate) -> Compiled:
    """Return the roles of an estate, sorted, with the diagnostics for what cannot be expressed."""
    work = Composition(estate)
    named = {name: work.named(GROUP, role, *_group_name(role)) for name, role in sorted(estate.roles.items())}
    by_native = {address.name: address for address, _ in named.values()}
    for name, role in sorted(estate.roles.items()):
        work.groups[name] = _group(work, role, named[name], by_native)
    logins = [_login(work, nhi) for nhi in estate.nhis if _is_here(estate, nhi)]
    found = sorted([*work.groups.values(), *logins], key=lambda r: r.address)
    return Compiled(tuple(found), tuple(work.said))


def _group_name(role: Role) -> tuple[str, tuple[str, ...]]:
    if "role" in role.block:
        return str(role.block["role"]), (*_PATH, "role")
    return (role.native_name, ("spec", "nativeName")) if role.native_name else (role.meta.name, ("metadata", "name"))


def _group(
    work: Composition, role: Role, named: tuple[Address, Address | None], known: Mapping[str, Address]
) -> Resource:
    address, former = named
    granted = _granted(work, role)
    above = [str(name) for name in role.block.get("memberOf") or ()]
    attributes: dict[str, Value] = {
        "can_login": False,
        "memberships": dict.fromkeys(sorted(set(above)), MEMBER),
        "grants": rows.sorted_rows(rows.grant_row(db, at, found) for (db, at), found in granted.items()),
        "default_privileges": rows.sorted_rows(
            rows.default_row(db, at, found) for (db, at), found in _future(work, role).items()
        ),
        "other_grants": (),
    }
    return Resource(
        address, attributes, subject=role.ref, handling=role.handling, adopt=role.adopt, renamed_from=former,
        depends_on=tuple(sorted({known[name] for name in above if name in known} - {address})),
        place=role.document.place("metadata", "name"),
    )  # fmt: skip


def _granted(work: Composition, role: Role) -> Granted:
    """Return the privileges of a role by object; what `*` gives is taken out of single objects."""
    found: Granted = defaultdict(set)
    usage: set[tuple[str, str]] = set()
    inside: dict[tuple[str, str], int] = {}
    for index, grant in enumerate(role.block.get("grants") or ()):
        database = str(grant.get("database") or role.block.get("database") or "")
        on, names = _objects(grant)
        path = (*_PATH, "grants", index)
        privileges = {str(p) for p in grant["privileges"]}
        if not _possible(work, role, path, database=database, on=on, privileges=privileges):
            continue
        schema = str(grant.get("schema", ""))
        if on == "schema" and "USAGE" in privileges:
            usage.add((database, schema))
        elif on not in ("schema", "database"):
            inside.setdefault((database, schema), index)
        for name in names:
            at = {"database": Object(on, "", database), "schema": Object(on, "", schema)}.get(on)
            found[database, at or Object(on, schema, name)] |= privileges
    for (database, schema), index in inside.items():
        if schema != "public" and (database, schema) not in usage:
            _say_no_usage(work, role, index, schema)
    return {key: left for key in found if (left := _beyond_star(found, *key))}


def _beyond_star(found: Granted, database: str, at: Object) -> set[str]:
    """Return the privileges of an object, less those that every object of its class in its schema gets anyway."""
    star = Object(at.on, at.schema, STAR)
    return found[database, at] - (found.get((database, star), set()) if at != star else set())


def _objects(grant: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the class of object a grant is about and their names."""
    for field_name, on in _LISTS.items():
        if field_name in grant:
            names = [str(name) for name in grant[field_name]]
            return on, [
                n if n == STAR else signature(n) if on == "function" else shown(on, meant(on, n)) for n in names
            ]
    return ("schema", [""]) if "schema" in grant else ("database", [""])


def _possible(
    work: Composition, role: Role, path: tuple[str | int, ...], *, database: str, on: str, privileges: set[str]
) -> bool:
    if not database:
        work.say(
            role.document, *path, code="E550", summary=f"{role.ref}: a grant without a database",
            hint="say `database` in the block or in the grant",
        )  # fmt: skip
    wrong = sorted(privileges - set(PRIVILEGES.get(on) or FUTURE.get(on, ())))
    if wrong:
        known = ", ".join(PRIVILEGES.get(on) or FUTURE.get(on, ()))
        work.say(
            role.document, *path, "privileges", code="E551",
            summary=f"{role.ref}: {', '.join(wrong)} cannot be granted on {_articled(on)}",
            hint=f"there are {known}",
        )  # fmt: skip
    return bool(database) and not wrong


def _articled(on: str) -> str:
    return on if on.endswith("s") else f"a {on}"


def _say_no_usage(work: Composition, role: Role, index: int, schema: str) -> None:
    work.say(
        role.document, *_PATH, "grants", index, code="W613",
        summary=f"{role.ref}: grants on objects of schema `{schema}` without USAGE on the schema",
        hint=f"nothing in it can be reached: add {{schema: {schema}, privileges: [USAGE]}}",
    )  # fmt: skip


def _future(work: Composition, role: Role) -> Granted:
    found: Granted = defaultdict(set)
    for index, item in enumerate(role.block.get("defaultPrivileges") or ()):
        database = str(item.get("database") or role.block.get("database") or "")
        on, privileges = str(item["objects"]), {str(p) for p in item["privileges"]}
        path = (*_PATH, "defaultPrivileges", index)
        if _possible(work, role, path, database=database, on=on, privileges=privileges):
            at = Object(f"{DEFAULT}{on}", str(item.get("schema", "")), str(item["owner"]))
            found[database, at] |= privileges
    return found


def _is_here(estate: Estate, nhi: NHI) -> bool:
    """True when an NHI has a login: it says so, or a standing grant leads here. Others get one when they need it."""
    if nhi.identity_kind in ("postgres", "existing"):
        return True
    env = estate.environment.name
    return any(
        g.mode == "standing" and g.role in estate.roles and (not g.environments or env in g.environments)
        for g in nhi.grants
    )


def _login(work: Composition, nhi: NHI) -> Resource:
    declared = str(nhi.identity.get("login", "")) if nhi.identity_kind == "postgres" else ""
    path = ("spec", "identity", "postgres", "login") if declared else ("metadata", "name")
    address, former = work.named(LOGIN, nhi, declared or nhi.native_name or nhi.meta.name, path)
    standing = sorted({g.role for g in work.estate.standing(nhi)}) if nhi.enabled else []
    groups = [work.groups[name] for name in standing]
    attributes: dict[str, Value] = {
        "enabled": nhi.enabled and not work.estate.expired(nhi),
        "connection_limit": _limit(work, nhi),
        "memberships": {group.address.name: MEMBER for group in sorted(groups, key=lambda g: g.address)},
        **rows.Rows().attributes(),
    }
    return Resource(
        address, attributes, subject=nhi.ref, handling=nhi.handling, adopt=nhi.adopt, renamed_from=former,
        depends_on=tuple(sorted(g.address for g in groups)), place=nhi.document.place("metadata", "name"),
    )  # fmt: skip


def _limit(work: Composition, nhi: NHI) -> int:
    """Return the lowest connection limit of an NHI and of the roles it is granted here; -1 for none."""
    own = nhi.identity.get("connectionLimit") if nhi.identity_kind == "postgres" else None
    return min(_limits(work.estate, nhi, own), default=-1)


def _limits(estate: Estate, nhi: NHI, own: Any) -> Iterator[int]:
    if own is not None:
        yield int(own)
    for grant in nhi.grants:
        role = estate.roles.get(grant.role)
        here = not grant.environments or estate.environment.name in grant.environments
        if role is not None and here and "connectionLimit" in role.block:
            yield int(role.block["connectionLimit"])
