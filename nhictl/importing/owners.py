"""Who answers for what is imported. Pure.

Rules enforced here:
- an Owner manifest must exist: nobody is made up, and nobody stands in for "somebody";
- an object that names its owner in a tag, a label or an attribute has that one, where an Owner is called so;
- what names none has the owner that was given; a role or connection else the one of the first NHI that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nhictl.importing.naming import slug
from nhictl.importing.values import Given, NoOwner
from nhictl.leaving import tags_of
from nhictl.manifest.schema import near_miss
from nhictl.model import Address, Exit, Resource
from nhictl.providers.base import Draft, Ref

_KEYS = ("owner", "team", "owned-by", "ownedby", "owner-team")
_SHOWN = 5


def owners(given: Given, drafts: list[Draft], live: Mapping[Address, Resource]) -> list[str]:
    """Return the name of the Owner of each draft. Raises NoOwner when nobody answers for one of them."""
    known = _known(given)
    if given.owner and given.owner not in known.values():
        names = sorted(set(known.values()))
        hint = near_miss(given.owner, names) or f"owners: {', '.join(names)}" if names else "declare one: `kind: Owner`"
        raise NoOwner(f"no Owner is called {given.owner}", hint=hint, exit_code=Exit.USAGE)
    found = [_told(draft, live, known) or given.owner for draft in drafts]
    users = _users(drafts, found)
    found = [o or next((users[a] for a in d.addresses if a in users), "") for d, o in zip(drafts, found, strict=True)]
    if missing := [d for d, o in zip(drafts, found, strict=True) if not o]:
        raise _nobody(missing, sorted(set(known.values())))
    return found


def _nobody(missing: list[Draft], names: list[str]) -> NoOwner:
    shown = ", ".join(str(d.addresses[0]) for d in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    hint = (
        f"--owner NAME, one of: {', '.join(names)}" if names else "declare an Owner (`kind: Owner`), then --owner NAME"
    )
    return NoOwner(f"who answers for {shown}{more}?", hint=hint, exit_code=Exit.USAGE)


def _known(given: Given) -> dict[str, str]:
    """Return the names of Owners by what people call them: name, display name, address for mail."""
    found: dict[str, str] = {}
    for document in given.checked.documents:
        if document.kind != "Owner":
            continue
        spec = document.value["spec"]
        called = (document.name, spec.get("displayName"), (spec.get("contact") or {}).get("email"))
        found |= {_plain(text): document.name for text in called if text and _plain(text) not in found}
    return found


def _plain(text: str) -> str:
    return text.lower() if "@" in text else slug(text)


def _told(draft: Draft, live: Mapping[Address, Resource], known: Mapping[str, str]) -> str:
    for address in draft.addresses:
        if address in live:
            for text in _texts(live[address]):
                if _plain(text) in known:
                    return known[_plain(text)]
    return ""


def _texts(resource: Resource) -> Iterable[str]:
    own = resource.attributes.get("owner")
    if isinstance(own, str) and own:
        yield own
    tags = {key.lower().rpartition("/")[2]: value for key, value in sorted(tags_of(resource).items())}
    yield from (tags[key] for key in _KEYS if tags.get(key))


def _users(drafts: list[Draft], found: list[str]) -> dict[Address, str]:
    """Return, for each object that a draft with an owner refers to, the owner of the first of them by address."""
    users: dict[Address, str] = {}
    owned = sorted((d.addresses[0], o, d) for d, o in zip(drafts, found, strict=True) if o and d.kind == "NHI")
    for _, owner, draft in owned:
        for address in refs(draft.spec):
            users.setdefault(address, owner)
    return users


def refs(value: object) -> Iterable[Address]:
    """Yield the addresses that a draft's `spec` refers to."""
    if isinstance(value, Ref):
        yield value.address
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from refs(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from refs(item)
