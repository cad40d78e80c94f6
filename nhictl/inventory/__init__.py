"""The inventory: from snapshots, manifests and the ledger to one governed view. Pure; times are passed in."""

from nhictl.inventory.build import Given, Leaving, Source, build, coverage
from nhictl.inventory.choose import Choice, choose, stale
from nhictl.inventory.risks import risks

__all__ = ["Choice", "Given", "Leaving", "Source", "build", "choose", "coverage", "risks", "stale"]
