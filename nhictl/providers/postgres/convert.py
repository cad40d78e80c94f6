"""From rows of the catalogs to resources. Pure.

Rules enforced here:
- a role is a login or a group as our mark says; without one, as it may log in or not; a group that may log in is told
  as a login besides, for whoever may comment can imitate our mark and must not hide it;
- a membership granted by several people counts with the union of its options; one that gives nothing, as the one the
  creator of a role gets in PostgreSQL 16, is no access;
- what a role is besides (superuser, owner, settings) is a fact: shown, never compared, never changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nhictl.model import Address, Resource, Value
from nhictl.providers.postgres import comment
from nhictl.providers.postgres.names import GROUP, LOGIN, PUBLIC, options
from nhictl.providers.postgres.rows import Held, Rows, to_rows

BOOTSTRAP = 10
FIRST_NORMAL = 16384


class RoleRow(NamedTuple):
    """One row of the query ROLES. `valid_until` is RFC 3339; `password` None when it may not be known."""

    oid: int
    name: str
    superuser: bool
    inherit: bool
    createrole: bool
    createdb: bool
    can_login: bool
    replication: bool
    bypassrls: bool
    connection_limit: int
    valid_until: str | None
    expired: bool
    comment: str | None
    password: bool | None


class MemberRow(NamedTuple):
    """One row of the query MEMBERS: `member` is in `group`. `inherit` and `settable` are None before 16."""

    group: int
    group_name: str
    member: int
    member_name: str
    grantor: int
    grantor_name: str | None
    admin: bool
    inherit: bool | None
    settable: bool | None
    group_comment: str | None
    group_can_login: bool
    member_comment: str | None


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything one reading gave. `held` is by the grantee's oid, 0 for PUBLIC; `owned` counts objects by database.

    `createrole_grants_any` holds before PostgreSQL 16: CREATEROLE there grants any role that is no superuser.
    """

    roles: tuple[RoleRow, ...] = ()
    members: tuple[MemberRow, ...] = ()
    held: Mapping[int, list[Held]] = field(default_factory=dict)
    owned: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    objects: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)
    public: bool = False
    database_owners: Mapping[str, int] = field(default_factory=dict)
    createrole_grants_any: bool = False


def resources(target: str, catalog: Catalog) -> Iterator[Resource]:
    """Yield a resource for each role, and one for PUBLIC when it was read."""
    above: dict[int, list[MemberRow]] = defaultdict(list)
    below: dict[int, list[MemberRow]] = defaultdict(list)
    for row in catalog.members:
        above[row.member].append(row)
        below[row.group].append(row)
    for role in catalog.roles:
        said = comment.parse(role.comment)
        ways = {"above": above[role.oid], "below": below[role.oid]}
        yield _resource(target, catalog, role, said, **ways)
        if role.can_login and kind_of(role.can_login, said) == GROUP:
            yield _resource(target, catalog, role, comment.Comment(said.text), **ways)
    if catalog.public:
        yield _public(target, catalog)


def kind_of(can_login: bool, said: comment.Comment) -> str:
    """Return the kind of a role. That a login is a group is said by our mark alone."""
    default = LOGIN if can_login else GROUP
    return default if can_login and said.mark is None else said.kind or default


def _resource(
    target: str,
    catalog: Catalog,
    role: RoleRow,
    said: comment.Comment,
    *,
    above: list[MemberRow],
    below: list[MemberRow],
) -> Resource:
    kind = kind_of(role.can_login, said)
    found = to_rows(catalog.held.get(role.oid, ()), said.everything, catalog.objects)
    groups = memberships(above, inherits=role.inherit)
    attributes: dict[str, Value] = {"memberships": groups, **found.attributes()}
    if kind == LOGIN:
        attributes |= {"enabled": role.can_login, "connection_limit": role.connection_limit}
    else:
        attributes["can_login"] = role.can_login
    return Resource(
        Address(target, kind, role.name), attributes, native_id=str(role.oid), mark=said.mark,
        depends_on=_depends_on(target, catalog, above, groups), facts=_facts(catalog, role, below),
    )  # fmt: skip


def memberships(rows: Iterable[MemberRow], *, inherits: bool) -> dict[str, Value]:
    """Return the options of each membership by group name, as text."""
    found: dict[str, list[bool]] = {}
    for row in rows:
        some = found.setdefault(row.group_name, [False, False, False])
        some[0] |= row.admin
        some[1] |= inherits if row.inherit is None else row.inherit
        some[2] |= True if row.settable is None else row.settable
    return {name: options(admin=a, inherit=i, settable=s) for name, (a, i, s) in sorted(found.items())}


def _depends_on(
    target: str, catalog: Catalog, above: Iterable[MemberRow], groups: Mapping[str, Value]
) -> tuple[Address, ...]:
    useful = {name for name, text in groups.items() if set(str(text).split()) & {"inherit", "set", "admin"}}
    found = {
        Address(target, kind_of(row.group_can_login, comment.parse(row.group_comment)), row.group_name)
        for row in above
        if row.group_name in useful
    }
    everybody = {Address(target, GROUP, PUBLIC)} if catalog.public else set()
    return tuple(sorted(found | everybody))


def _facts(catalog: Catalog, role: RoleRow, below: Iterable[MemberRow]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    if role.oid == BOOTSTRAP:
        facts["builtin"] = "the superuser that initdb made"
    elif role.oid < FIRST_NORMAL:
        facts["builtin"] = "predefined role"
    for name in ("superuser", "createrole", "createdb", "replication", "bypassrls"):
        if getattr(role, name):
            facts[name] = True
    if role.createrole and catalog.createrole_grants_any:
        facts["grants_any_role"] = True
    if role.password is not None:
        facts["credentials"] = (_password(role),) if role.password else ()
    if role.valid_until:
        facts["valid_until"] = role.valid_until
    facts |= _owned(catalog, role)
    holders = {row.member_name: _marked(row.member_comment) for row in below if _uses(row)}
    if holders:
        facts["holders"] = dict(sorted(holders.items()))
    return facts


def _owned(catalog: Catalog, role: RoleRow) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    if owned := catalog.owned.get(role.oid):
        facts["owns"] = dict(sorted(owned.items()))
    if databases := sorted(name for name, owner in catalog.database_owners.items() if owner == role.oid):
        facts["owns_databases"] = tuple(databases)
    return facts


def _password(role: RoleRow) -> dict[str, Value]:
    return {
        "kind": "password", "id": role.name, "status": "expired" if role.expired else "active",
        "expires": role.valid_until or "",
    }  # fmt: skip


def _uses(row: MemberRow) -> bool:
    return row.inherit is not False or row.settable is not False


def _marked(text: str | None) -> str:
    mark = comment.parse(text).mark
    return mark.owner if mark else ""


def _public(target: str, catalog: Catalog) -> Resource:
    found = Rows() if 0 not in catalog.held else to_rows(catalog.held[0], {}, {})
    attributes: dict[str, Value] = {"can_login": False, "memberships": {}, **found.attributes()}
    facts: dict[str, Value] = {"builtin": "PUBLIC: every role has what it has"}
    return Resource(Address(target, GROUP, PUBLIC), attributes, native_id="0", facts=facts)
