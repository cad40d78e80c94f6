"""The suite catches what it is there for: each seeded bug of an adapter fails the case that names it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Change, Fault, Operation, Outcome, ProviderError, Resource, Status
from nhictl.providers.local import convert, faults, file, session, store, write
from nhictl.providers.local.session import LocalSession
from tests.conformance import test_local
from tests.conformance.world import World

Patch = pytest.MonkeyPatch


def _any_native_id(patch: Patch) -> None:
    def checked(db: sqlite3.Connection, change: Change) -> str:
        found = store.find(db, change.address.kind, change.address.name)
        return found.id if found else change.native_id

    patch.setattr(write, "_checked", checked)


def _writes_while_reading(patch: Patch) -> None:
    real = file.opened
    patch.setattr(session, "opened", lambda path, *, write: real(path, write=True))


def _takes_over(patch: Patch) -> None:
    real = store.find
    patch.setattr(store, "find", lambda *a: found._replace(operation="run-1") if (found := real(*a)) else None)
    patch.setattr(World, "operation", lambda self: Operation("run-1", "conformance/test"))


def _no_mark(patch: Patch) -> None:
    empty = {"mark_owner": None, "mark_ref": None, "mark_operation": None}
    patch.setattr(write, "_mark", lambda change, operation: empty)


def _lost_means_not_applied(patch: Patch) -> None:
    patch.setattr(LocalSession, "resolve", lambda self, change, operation, live: Status.NOT_APPLIED)


def _applied_without_looking(patch: Patch) -> None:
    patch.setattr(LocalSession, "resolve", lambda self, change, operation, live: Status.APPLIED)


def _says_what_sqlite_says(patch: Patch) -> None:
    real = write.STEPS

    def step(name: Any) -> Callable[..., str]:
        def run(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
            try:
                return real[name](db, change, operation)
            except sqlite3.Error as error:
                raise ProviderError(Fault.INVALID, f"{error}: {change.after}") from error

        return run

    patch.setattr(session, "STEPS", {name: step(name) for name in real})


def _repeats_make_more(patch: Patch) -> None:
    real = LocalSession.apply

    def apply(self: LocalSession, change: Change, operation: Operation) -> Outcome:
        return real(self, change, replace(operation, id=f"{operation.id}-{self.db.total_changes}"))

    patch.setattr(LocalSession, "apply", apply)


def _keeps_order(patch: Patch) -> None:
    from nhictl.providers.local import adapter

    def permissions(items: Any) -> tuple[Any, ...]:
        return tuple(
            {"action": a, "resource": r, "condition": ""} for i in items for a in i["actions"] for r in i["resources"]
        )

    patch.setattr(adapter, "permission_set", permissions)


def _locked_is_lost(patch: Patch) -> None:
    table = {**faults._FAULTS, sqlite3.SQLITE_BUSY: (Fault.LOST, "?")}
    patch.setattr(faults, "_FAULTS", table)


def _wipes_foreign(patch: Patch) -> None:
    real = write.STEPS

    def wiping(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
        db.execute("UPDATE identities SET owner = 'us' WHERE mark_owner IS NULL")
        return real[change.action](db, change, operation)

    patch.setattr(session, "STEPS", dict.fromkeys(real, wiping))


def _part_of_a_read(patch: Patch) -> None:
    real = session.translated

    @contextmanager
    def shrugging(what: str) -> Iterator[None]:
        with suppress(ProviderError), real(what):
            yield

    def read(self: LocalSession, scope: object) -> list[Resource]:
        found: list[Resource] = []
        with suppress(sqlite3.Error, ProviderError):
            for kind in store.TABLES:
                found += self._select(kind)
        return found

    patch.setattr(LocalSession, "read", read)
    patch.setattr(session, "translated", shrugging)


def _one_id_for_all(patch: Patch) -> None:
    patch.setattr(session, "directory_id", lambda db, path: "directory")


def _condition_lost(patch: Patch) -> None:
    patch.setattr(convert, "permission_rows", lambda attributes: [])


SEEDED = [
    (_any_native_id, "test_delete_and_update_need_the_native_id"),
    (_writes_while_reading, "test_a_reading_session_refuses_every_change"),
    (_takes_over, "test_an_existing_name_is_not_taken_over"),
    (_no_mark, "test_what_is_made_carries_our_mark"),
    (_lost_means_not_applied, "test_a_lost_reply_is_lost_and_found_again"),
    (_lost_means_not_applied, "test_a_crash_after_the_call_is_found_again"),
    (_applied_without_looking, "test_a_crash_before_the_call_is_found_as_not_applied"),
    (_says_what_sqlite_says, "test_a_secret_shows_nowhere"),
    (_repeats_make_more, "test_the_same_change_twice_is_harmless"),
    (_keeps_order, "test_the_order_of_manifests_does_not_matter"),
    (_locked_is_lost, "test_a_throttled_change_is_made_or_known_not_to_be"),
    (_wipes_foreign, "test_a_foreign_object_is_never_touched"),
    (_part_of_a_read, "test_a_broken_read_is_an_error"),
    (_one_id_for_all, "test_another_account_behind_the_name_is_noticed"),
    (_condition_lost, "test_each_state_is_followed_by_an_empty_plan"),
]


@pytest.mark.parametrize(("seed", "name"), SEEDED, ids=[f"{s.__name__[1:]}-{n[5:25]}" for s, n in SEEDED])
def test_a_seeded_bug_is_caught(
    seed: Callable[[Patch], None], name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The case passes without the bug and fails with it."""
    for index, broken in enumerate((False, True)):
        here, other = tmp_path / f"here{index}", tmp_path / f"other{index}"
        here.mkdir()
        other.mkdir()
        subject = test_local.LocalSubject(Target("directory", "local", {"path": "test.db"}, here), other)
        given: dict[str, Any] = {"subject": subject, "case": test_local.TestLocal.cases[0], "caplog": caplog}
        given["world"] = World(subject.adapter, subject.target)
        run = getattr(test_local.TestLocal(), name)
        wanted = run.__code__.co_varnames[1 : run.__code__.co_argcount]
        caught = pytest.raises((AssertionError, ProviderError, pytest.fail.Exception)) if broken else nullcontext()
        with Patch.context() as patch:
            if broken:
                seed(patch)
            with caught:
                run(**{key: given[key] for key in wanted})
