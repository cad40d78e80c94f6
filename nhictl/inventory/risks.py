"""What about one identity deserves a look, in short sentences. Pure.

Rules enforced here:
- a sentence says what is known and nothing else: what a provider does not tell is no risk and no comfort;
- built-in and ignored identities have none: the one nobody can change, the other somebody answers for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from nhictl.inventory.times import DAY, age, days
from nhictl.kinds.owner import Owner
from nhictl.model import Credential, Item, Standing
from nhictl.safety import is_admin

OLD_DAYS = 90
_GOVERNED = (Standing.MANAGED, Standing.ADOPTED)
_QUIET = (Standing.BUILTIN, Standing.IGNORED)


def risks(item: Item, owners: Mapping[str, Owner], now: dt.datetime) -> tuple[str, ...]:
    """Return the risks of an identity, the gravest first."""
    if item.standing in _QUIET:
        return ()
    return (*_access(item), *_owner(item, owners, now), *_credentials(item, now), *_use(item, now))


def _access(item: Item) -> Iterator[str]:
    allowed = sum(p.effect == "allow" for p in item.permissions)
    if is_admin(item.permissions):
        yield "may do everything"
    if allowed and item.standing not in _GOVERNED:
        yield "unmanaged and has access"
    if allowed and item.enabled is False:
        yield "disabled and still has access"


def _owner(item: Item, owners: Mapping[str, Owner], now: dt.datetime) -> Iterator[str]:
    if item.standing not in _GOVERNED:
        return
    owner = owners.get(item.owner)
    if not item.owner:
        yield "no owner: no manifest declares it any more"
    elif owner is not None and owner.gone(now.date()):
        yield f"owner {item.owner} departed on {owner.departed}"


def _credentials(item: Item, now: dt.datetime) -> Iterator[str]:
    for credential in item.credentials or ():
        if credential.status not in ("", "active"):
            continue
        name = f"{credential.kind} {credential.id}".strip()
        old = days(credential.created, now)
        if old is not None and old > OLD_DAYS:
            yield f"{name} is {old} days old"
        if credential.expires == "":
            yield f"{name} never expires"
        if credential.last_used == "" and old is not None and old > OLD_DAYS:
            yield f"{name} was never used"
        if _over(credential, now):
            yield f"{name} is active after its end"


def _over(credential: Credential, now: dt.datetime) -> bool:
    past = age(credential.expires, now)
    return past is not None and past > 0 and credential.status == "active"


def _use(item: Item, now: dt.datetime) -> Iterator[str]:
    old = age(item.created, now)
    if item.last_used == "" and old is not None and old > OLD_DAYS * DAY:
        within = f" in {item.tracked_days} days" if item.tracked_days else ""
        yield f"not used{within}" if within else "never used"
