"""What an auth role's logins are proved with, as facts: for an AppRole its secret-ids, by accessor, never the secret.

A look-up of each accessor is a call: made only for an inventory. Jwt and Kubernetes logins leave nothing behind.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from nhictl.model import Resource
from nhictl.providers.vault import convert
from nhictl.providers.vault.calls import Calls


def told(calls: Calls, path: str, role: Resource) -> Resource:
    """Return an auth role with its credentials; `path` is where it is read."""
    if role.attributes.get("method") != "approle":
        return convert.with_facts(role, credentials=())
    accessors, _ = calls.keys(f"{path}/secret-id")
    now = dt.datetime.now(dt.UTC)
    found = [_looked_up(calls, path, accessor) for accessor in sorted(accessors)]
    read = partial(convert.credential, now=now)
    return convert.with_facts(role, credentials=tuple(read(data) for data in found if data))


def _looked_up(calls: Calls, path: str, accessor: str) -> dict[str, Any] | None:
    return calls.ask(f"{path}/secret-id-accessor/lookup", {"secret_id_accessor": accessor})
