"""The append-only record of everything nhictl did: hash-chained lines, one writer at a time, disposable index."""

from nhictl.ledger.actor import Actor, Trigger
from nhictl.ledger.chain import EMPTY, EntryType, Head
from nhictl.ledger.ledger import Ledger, open_ledger
from nhictl.ledger.scan import LockState

__all__ = ["EMPTY", "Actor", "EntryType", "Head", "Ledger", "LockState", "Trigger", "open_ledger"]
