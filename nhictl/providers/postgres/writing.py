"""Bring one role to what a change says, in transactions that check themselves.

Rules enforced here:
- each transaction reads what the role is and has there, does what is missing, reads again, and is rolled back when that
  is not what was wanted: a GRANT or REVOKE that PostgreSQL only warns about is a failure here;
- the native id (oid) is compared in the transaction that writes; names alone decide nothing;
- create and mark are one transaction; a later change's mark comes with its last transaction;
- attributes that nhictl does not manage are in no statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nhictl.model import Action, Change, Fault, Mark, Operation, ProviderError, Value
from nhictl.providers.postgres import comment, queries, rows, statements
from nhictl.providers.postgres.connect import Transaction
from nhictl.providers.postgres.convert import MemberRow, memberships
from nhictl.providers.postgres.names import KINDS, LOGIN, STAR, role_problem
from nhictl.providers.postgres.reading import existing, to_held
from nhictl.providers.postgres.rows import Held, Object, real

Objects = Mapping[tuple[str, str, str], Any]
Ask = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it is inside of a transaction."""

    oid: int
    name: str
    can_login: bool
    inherits: bool
    limit: int
    said: comment.Comment


@dataclass(slots=True)
class Work:
    """One change being carried out. `done` counts statements of committed transactions, `oid` is the role's."""

    change: Change
    operation: Operation
    version: int
    user: str
    done: int = 0
    oid: int = 0

    @property
    def wanted(self) -> Mapping[str, Value]:
        """The attributes the role is to have."""
        return self.change.after.attributes if self.change.after is not None else {}

    @property
    def name(self) -> str:
        """The name the role is to have."""
        return self.change.address.name

    @property
    def doing(self) -> str:
        """What this is, for messages."""
        return f"{self.change.action} of {self.change.address}"

    def refused(self, fault: Fault, why: str, code: str, hint: str = "") -> ProviderError:
        """Return the error that says why this cannot be done."""
        return ProviderError(fault, f"{self.doing}: {why}", code=code, hint=hint)


def role_by(ask: Ask, *, oid: int = 0, name: str = "") -> Role | None:
    """Return a role by its oid or name; None when there is none."""
    which, value = ("oid = %s::oid", oid) if oid else ("rolname = %s", name)
    found = ask(queries.ONE_ROLE.format(which=which), value)
    if not found:
        return None
    row = found[0]
    return Role(row[0], row[1], row[2], row[3], row[4], comment.parse(row[5]))


def verified(ask: Ask, work: Work) -> Role:
    """Return the role of a change, whose oid is the planned one and whose name is its old or its new one."""
    old = work.change.after.renamed_from if work.change.after is not None else None
    found = role_by(ask, oid=int(work.change.native_id)) if work.change.native_id.isdigit() else None
    if found is None:
        other = role_by(ask, name=work.name)
        fault, code = (Fault.CONFLICT, "OtherObject") if other else (Fault.NOT_FOUND, "NoSuchRole")
        raise work.refused(
            fault, "the role of the plan is not there" + (", another has its name" if other else ""), code
        )
    if found.name not in {work.name, *([old.name] if old else [])}:
        before = work.change.before
        if before is None or found.name != before.address.name:
            raise work.refused(Fault.CONFLICT, "the role has got another name", "Renamed", "plan again")
    if found.oid < queries.FIRST_NORMAL:
        raise work.refused(Fault.INVALID, "PostgreSQL's own roles are never changed", "BuiltIn")
    work.oid = found.oid
    return found


def create(tx: Transaction, work: Work) -> Role:
    """Make the role of a change with its mark. Raises ProviderError when one of its name exists."""
    if problem := role_problem(work.name):
        raise work.refused(Fault.INVALID, problem, "InvalidName")
    if role_by(tx.rows, name=work.name) is not None:
        raise work.refused(Fault.CONFLICT, "a role of this name exists already", "42710")
    tx.run(statements.create(work.name, login=_logs_in(work), limit=_limit(work)))
    made = role_by(tx.rows, name=work.name)
    if made is None:
        raise work.refused(Fault.CONFLICT, "it was dropped at once", "NoSuchRole")
    work.oid = made.oid
    return made


def _logs_in(work: Work) -> bool:
    return work.wanted.get("enabled" if work.change.address.kind == LOGIN else "can_login") is True


def _limit(work: Work) -> int:
    found = work.wanted.get("connection_limit", -1)
    return found if isinstance(found, int) else -1


def bring(tx: Transaction, work: Work, role: Role) -> None:
    """Bring name, attributes, memberships and mark of a role to what the change says."""
    if role.name != work.name:
        if problem := role_problem(work.name):
            raise work.refused(Fault.INVALID, problem, "InvalidName")
        tx.run(statements.text("ALTER ROLE {} RENAME TO {}", role.name, work.name))
    if role.can_login != _logs_in(work):
        tx.run(statements.text(f"ALTER ROLE {{}} {'LOGIN' if _logs_in(work) else 'NOLOGIN'}", work.name))
    if work.change.address.kind == LOGIN and role.limit != _limit(work):
        tx.run(statements.limited(work.name, _limit(work)))
    _bring_memberships(tx, work, role)
    mark(tx, work, role)


def mark(tx: Transaction, work: Work, role: Role) -> None:
    """Write the mark of a change into the role's comment, behind what somebody else wrote there."""
    ours = Mark(work.operation.owner, work.change.subject, work.operation.id)
    everything = rows.stars(work.wanted) if work.change.action is not Action.DISABLE else role.said.everything
    kind = work.change.address.kind if work.change.subject.partition("/")[0] not in ("nhi", "role") else ""
    said = comment.Comment(role.said.text, ours, kind, everything)
    tx.run(statements.comment(work.name, comment.compose(said)))


def unmark(tx: Transaction, work: Work, role: Role) -> None:
    """Take our mark out of the role's comment; of a login that is off, that it is one stays."""
    off = work.change.address.kind == LOGIN and not role.can_login
    said = comment.Comment(role.said.text, kind=LOGIN if off else "")
    tx.run(statements.comment(role.name, comment.compose(said)))


def _bring_memberships(tx: Transaction, work: Work, role: Role) -> None:
    found = [MemberRow(*row) for row in tx.rows(queries.MEMBERS, [role.oid], [role.oid], [role.oid])]
    found = [row for row in found if row.member == role.oid]
    has, want = memberships(found, inherits=role.inherits), work.wanted.get("memberships")
    wanted = {str(k): str(v) for k, v in want.items()} if isinstance(want, Mapping) else {}
    if work.version < 160000:
        _bring_inheritance(tx, work, role, wanted)
        has = memberships(found, inherits=_inherits(role, wanted))
    for group in sorted(wanted):
        if has.get(group) == wanted[group]:
            continue
        _leave(tx, work, [row for row in found if row.group_name == group])
        tx.run(statements.member(group, work.name, wanted[group], version=work.version))
    _leave(tx, work, [row for row in found if row.group_name not in wanted])


def _leave(tx: Transaction, work: Work, rows_: Iterable[MemberRow]) -> None:
    for row in rows_:
        tx.run(statements.no_member(row.group_name, work.name, row.grantor_name or "", version=work.version))


def _inherits(role: Role, wanted: Mapping[str, str]) -> bool:
    asked = {"inherit" in text.split() for text in wanted.values()}
    return role.inherits if len(asked) != 1 else asked.pop()


def _bring_inheritance(tx: Transaction, work: Work, role: Role, wanted: Mapping[str, str]) -> None:
    """Before 16 a role inherits from all its groups or from none."""
    if len({"inherit" in text.split() for text in wanted.values()}) > 1:
        raise work.refused(
            Fault.INVALID, "PostgreSQL 15 cannot inherit from some groups only", "MixedInheritance",
            "give it all its memberships with or all without inheritance",
        )  # fmt: skip
    if _inherits(role, wanted) != role.inherits:
        tx.run(statements.text(f"ALTER ROLE {{}} {'NOINHERIT' if role.inherits else 'INHERIT'}", work.name))


def held(tx: Transaction, oid: int, database: str, *, shared: bool) -> list[Held]:
    """Return what a role holds in the database of a transaction; with `shared` also what the whole cluster knows."""
    found = [to_held(row, database)[1] for row in tx.rows(queries.LOCAL, [oid], [oid], [oid])]
    if shared:
        found += [to_held(row, "")[1] for row in tx.rows(queries.SHARED, [oid], [oid], [oid])]
    return found


def objects_of(tx: Transaction, work: Work, database: str) -> Objects:
    """Return the names of the objects that `*` means, and the signatures of the functions that rows name."""
    wanted = {(on, schema) for db, on, schema in rows.stars(work.wanted) if db == database}
    named = {
        (str(row["on"]), str(row["schema"])) for row in _grants(work)
        if row["database"] == database and row["on"] == "function" and row["name"] != STAR
    }  # fmt: skip
    if not wanted | named:
        return {}
    schemas = sorted({schema for _, schema in wanted | named})
    return existing(database, wanted | named, tx.rows(queries.OBJECTS, schemas, schemas))


def _grants(work: Work) -> Iterable[Mapping[str, Any]]:
    found = work.wanted.get("grants")
    return found if isinstance(found, tuple) else ()  # type: ignore[return-value]


def bring_grants(tx: Transaction, work: Work, database: str, *, shared: bool = False) -> None:
    """Bring what the role holds in one database to what the change says, and check that it is so.

    With `shared` also privileges on databases and other things of the whole cluster.
    """
    objects = objects_of(tx, work, database)
    want = {**(rows.wanted_shared(work.wanted) if shared else {}), **rows.wanted(work.wanted, database, objects)}
    for at in want:
        if at.on == "function" and at.name not in objects.get((database, at.on, at.schema), (at.name,)):
            raise work.refused(
                Fault.NOT_FOUND, f"{database} has no function {at.schema}.{at.name}", "42883",
                "write its argument types as `\\df` prints them",
            )  # fmt: skip
    todo = rows.moves(held(tx, work.oid, database, shared=shared), want)
    if not todo:
        return
    for move in todo:
        _move(tx, work, move)
    left = rows.moves(held(tx, work.oid, database, shared=shared), want)
    if left:
        raise work.refused(
            Fault.DENIED, f"{_told(left[0], database)} had no effect", "NotAllGranted",
            "nhictl's user must own the object, or hold the privilege with grant option",
        )  # fmt: skip


def _move(tx: Transaction, work: Work, move: rows.Move) -> None:
    """Grant or revoke; what somebody else granted is revoked in their name."""
    other = move.grantor and move.grantor != work.user and not move.on.startswith(rows.DEFAULT)
    if other:
        tx.run(statements.text("SET LOCAL ROLE {}", move.grantor))
        tx.changes -= 1
    tx.run(statements.moved(move, work.name))
    if other:
        tx.connection.execute("RESET ROLE")


def _told(move: rows.Move, database: str) -> str:
    at: Object = move.objects[0]
    verb, way = ("GRANT", "to") if move.grant else ("REVOKE", "from")
    where = f"{at.schema}.{real(at)}" if at.schema else real(at)
    return f"{verb} {', '.join(move.privileges)} on {move.on} {where} in {database} {way} it"


def take_all(tx: Transaction, work: Work, database: str, *, shared: bool = False) -> None:
    """Revoke everything the role holds in one database."""
    nothing = replace(work.change, after=None)
    emptied = Work(nothing, work.operation, work.version, work.user, oid=work.oid)
    bring_grants(tx, emptied, database, shared=shared)


def check_kind(work: Work) -> None:
    """Raise ProviderError for a kind that this provider does not have."""
    if work.change.address.kind not in KINDS:
        raise work.refused(Fault.INVALID, f"postgres has no kind {work.change.address.kind}", "UnknownKind")
