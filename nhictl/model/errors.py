"""The errors that reach the command line, each with its exit code. Messages never carry secrets or tracebacks."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from pathlib import Path

from nhictl.model.source import Diagnostic


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    DENIED = 3
    AUTH = 4
    SAFETY = 5
    STALE = 6
    PARTIAL = 7
    USAGE = 64
    INVALID = 65
    INTERRUPTED = 130


class NhictlError(Exception):
    """An error for people: what went wrong, the way out, and the exit code."""

    exit: Exit = Exit.ERROR

    def __init__(self, message: str, *, hint: str = "", exit_code: Exit | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if exit_code is not None:
            self.exit = exit_code


class InvalidManifests(NhictlError):
    """Manifests or configuration do not validate; carries every diagnostic in source order.

    `root` is what their files are relative to, for excerpts; whoever knows it sets it. None when nobody does.
    """

    exit = Exit.INVALID

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"{len(diagnostics)} problems in manifests")
        self.diagnostics = diagnostics
        self.root: Path | None = None


class LedgerError(NhictlError):
    """The ledger cannot be read, written or verified: nothing may be changed anywhere."""


class LockHeld(NhictlError):
    """Another run holds the lock, or this run has lost it."""

    exit = Exit.STALE


class StalePlan(NhictlError):
    """What was approved is not what would be done now."""

    exit = Exit.STALE


class SafetyStop(NhictlError):
    """A safety limit refuses the plan."""

    exit = Exit.SAFETY


class Fault(StrEnum):
    """What a provider call's failure means for the caller.

    `lost`: nobody knows whether the call took effect. Everything else is known not to have taken effect, except
    `partial`: some steps of several did.
    """

    AUTH = "auth"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    IN_USE = "in_use"
    INVALID = "invalid"
    LIMIT = "limit"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    PARTIAL = "partial"
    READ_ONLY = "read_only"


class ProviderError(NhictlError):
    """A provider refused or failed. `native_id` is set when the call left an object behind (fault `partial`)."""

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        code: str = "",
        native_id: str = "",
        request_ids: tuple[str, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint, exit_code=Exit.AUTH if fault is Fault.AUTH else Exit.ERROR)
        self.fault = fault
        self.code = code
        self.native_id = native_id
        self.request_ids = request_ids
