"""Names for manifests and files out of whatever a provider calls its objects. Pure.

Rules enforced here:
- a name has lower-case letters, digits and inner hyphens only, so a file named after it goes nowhere else;
- a name depends on the object, on names that are taken, and on nothing's order: where two objects would have one name,
  the one that has it in the provider keeps it and the others get a few characters of their address's digest.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from nhictl.model import Address
from nhictl.providers.base import Draft

_MOST = 63
_DIGEST = 6
FOLDERS: Mapping[str, str] = {"NHI": "nhis", "Role": "roles", "Connection": "connections"}


def slug(text: str) -> str:
    """Return what of `text` can stand in a name, empty when nothing can: `My Role_1` gives `my-role-1`."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:_MOST].rstrip("-")


def distinct(base: str, address: Address) -> str:
    """Return a name that begins with `base` and that no other address leads to."""
    tail = hashlib.sha256(str(address).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{base[: _MOST - _DIGEST - 1].rstrip('-')}-{tail}" if base else f"unnamed-{tail}"


def names(drafts: Iterable[Draft], taken: Mapping[str, frozenset[str]]) -> list[str]:
    """Return a name for each draft, unique in its kind; `taken` are the names in use by kind."""
    drafts = list(drafts)
    wanting: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, draft in enumerate(drafts):
        wanting[draft.kind, slug(draft.called or draft.name)].append(index)
    found = [""] * len(drafts)
    for (kind, base), indexes in wanting.items():
        best = min(indexes, key=lambda i: (drafts[i].name != base, drafts[i].addresses[0]))
        free = bool(base) and base not in taken.get(kind, frozenset())
        for index in indexes:
            plain = free and index == best and (len(indexes) == 1 or drafts[index].name == base)
            found[index] = base if plain else distinct(base, drafts[index].addresses[0])
    return found


def path(draft: Draft, name: str, *, group: str) -> str:
    """Return the file of a manifest below the folder of manifests: `roles/deployer.yaml`."""
    below = f"{FOLDERS[draft.kind]}/{name}.yaml"
    return f"{group}/{below}" if group else below
