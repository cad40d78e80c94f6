"""Take a role away: switch it off, end its sessions, revoke what it holds in each database, drop it.

Rules enforced here:
- a role that owns objects is not touched: what it owns is said, and nothing is dropped or given to somebody else;
- a role that others still are members of is not dropped: they would lose access unseen;
- it may not log in before its sessions are ended, and they are ended before it is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nhictl.model import Fault, ProviderError
from nhictl.providers.postgres import queries, statements, writing
from nhictl.providers.postgres.convert import MemberRow
from nhictl.providers.postgres.names import LOGIN
from nhictl.providers.postgres.writing import Role, Work

if TYPE_CHECKING:
    from nhictl.providers.postgres.connect import Transaction
    from nhictl.providers.postgres.session import PostgresSession

_SHOWN = 3


def delete(session: PostgresSession, work: Work) -> None:
    """Drop the role of a change; one that is gone counts as dropped. Raises ProviderError."""
    if not work.change.native_id.isdigit():
        raise work.refused(Fault.CONFLICT, "a delete needs the native id", "NoNativeId")
    maintenance = session.server.maintenance
    with session.server.reading(maintenance) as ask:
        role = writing.role_by(ask, oid=int(work.change.native_id))
        if role is None:
            if writing.role_by(ask, name=work.name) is not None:
                writing.verified(ask, work)
            return
        writing.verified(ask, work)
        _refuse_held(ask, session, work, role)
    _refuse_owner(session, work)
    if role.can_login:
        session.transact(work, maintenance, lambda tx: _switch_off(tx, work))
    end_sessions(session, work)
    for database in sorted(session.granted_in(work)):
        session.transact(work, database, lambda tx, at=database: _take_all(tx, work, at))  # type: ignore[misc]
    session.transact(work, maintenance, lambda tx: _drop(tx, session, work))


def _switch_off(tx: Transaction, work: Work) -> None:
    role = writing.verified(tx.rows, work)
    tx.run(statements.text("ALTER ROLE {} NOLOGIN", role.name))


def _take_all(tx: Transaction, work: Work, database: str) -> None:
    role = writing.verified(tx.rows, work)
    if role.name == work.name:
        writing.take_all(tx, work, database)


def _drop(tx: Transaction, session: PostgresSession, work: Work) -> None:
    role = writing.verified(tx.rows, work)
    writing.take_all(tx, work, session.server.maintenance, shared=True)
    tx.run(statements.text("DROP ROLE {}", role.name))


def _refuse_held(ask: writing.Ask, session: PostgresSession, work: Work, role: Role) -> None:
    found = [MemberRow(*row) for row in ask(queries.MEMBERS, [role.oid], [role.oid], [role.oid])]
    holders = sorted(
        {
            row.member_name
            for row in found
            if row.group == role.oid and (row.inherit is not False or row.settable is not False)
        }
        - {session.who().user}
    )
    if holders:
        more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
        raise work.refused(
            Fault.IN_USE, f"still held by {', '.join(holders[:_SHOWN])}{more}", "HasMembers",
            "take them out of it first: they would lose its access unseen",
        )  # fmt: skip


def _refuse_owner(session: PostgresSession, work: Work) -> None:
    with session.server.reading(session.server.maintenance) as ask:
        found = {database: count for _, database, count in ask(queries.OWNED, [work.oid], [work.oid])}
    if not found:
        return
    named = next((d for d in sorted(found) if d), session.server.maintenance)
    with session.server.reading(named) as ask:
        objects = [text for (text,) in ask(queries.OWNED_OBJECTS, work.oid)]
    more = sum(found.values()) - len(objects[:_SHOWN])
    raise work.refused(
        Fault.IN_USE,
        f"it owns {', '.join(objects[:_SHOWN])} in {named}" + (f" and {more} more" if more > 0 else ""),
        "OwnsObjects", f"give them to another role first: REASSIGN OWNED BY {work.name} TO ...",
    )  # fmt: skip


def end_sessions(session: PostgresSession, work: Work) -> None:
    """End the sessions of a login that may not log in any more. Raises ProviderError, PARTIAL, when some go on."""
    if work.change.address.kind != LOGIN:
        return
    with session.server.reading(session.server.maintenance) as ask:
        found = ask(queries.SESSIONS, work.oid)
    ours = [pid for pid, may in found if may]
    if ours:
        session.transact(work, session.server.maintenance, lambda tx: _terminate(tx, work, ours))
    if len(ours) < len(found):
        raise ProviderError(
            Fault.PARTIAL, f"{work.doing}: it is off, but {len(found) - len(ours)} of its sessions go on",
            code="SessionsGoOn", native_id=str(work.oid), hint="GRANT pg_signal_backend to nhictl's user",
        )  # fmt: skip


def _terminate(tx: Transaction, work: Work, pids: list[int]) -> None:
    tx.changes += 1
    tx.rows(queries.TERMINATE, work.oid, pids)
