"""The values every layer speaks: frozen, slotted, standard library only."""

from nhictl.model.change import (
    AccessDelta,
    Action,
    Change,
    Direction,
    Entry,
    FieldChange,
    Finding,
    Operation,
    Outcome,
    Permission,
    Plan,
    Receipt,
    Status,
)
from nhictl.model.errors import (
    Exit,
    Fault,
    InvalidManifests,
    LedgerError,
    LockHeld,
    NhictlError,
    ProviderError,
    SafetyStop,
    StalePlan,
)
from nhictl.model.resource import Address, Handling, Identity, Managed, Mark, OnRemove, Resource, Snapshot
from nhictl.model.source import Diagnostic, Document, Path, Severity, Span
from nhictl.model.value import Attributes, Value, canonical, digest, freeze, ordered_set

__all__ = [
    "AccessDelta", "Action", "Address", "Attributes", "Change", "Diagnostic", "Direction", "Document", "Entry",
    "Exit", "Fault", "FieldChange", "Finding", "Handling", "Identity", "InvalidManifests", "LedgerError", "LockHeld",
    "Managed", "Mark", "NhictlError", "OnRemove", "Operation", "Outcome", "Path", "Permission", "Plan",
    "ProviderError", "Receipt", "Resource", "SafetyStop", "Severity", "Snapshot", "Span", "StalePlan", "Status",
    "Value", "canonical", "digest", "freeze", "ordered_set",
]  # fmt: skip
