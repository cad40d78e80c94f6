"""The inventory: from snapshots, manifests and the ledger to one governed view. Pure; times are passed in."""
