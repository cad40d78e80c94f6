"""Paths that take from wider ones: of all that fit, Vault goes by the most specific path alone. Pure.

Rules enforced here:
- all policies of an identity count together, and a path has the capabilities of all its rules: what a wider path gives
  and this one does not is refused there, and told as a deny;
- paths that overlap in part or have `{{...}}` take nothing here, and nothing is told while a policy is not known, which
  could give anything; a `default` that was not read is taken for Vault's own, which gives nothing below such paths.
Source: Vault documentation, "Policies", priority matching.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from nhictl.chains.patterns import rank
from nhictl.model import Permission

_DEFAULT = "policy:default"


def taken(found: Iterable[Permission]) -> Iterator[Permission]:
    """Yield what narrower paths take from wider ones, each for the first policy that has the narrower path."""
    given: dict[str, dict[str, str]] = defaultdict(dict)
    closed: set[str] = set()
    for one in found:
        if one.kind != "allow" or one.action == _DEFAULT or "{{" in one.resource:
            continue
        if one.action.startswith(("policy:", "group:")):
            return
        if one.effect == "deny":
            closed.add(one.resource)
        else:
            held = given[one.resource]
            held[one.action] = min(one.source, held.get(one.action, one.source))
    wide = {path: frozenset(held) for path, held in given.items() if path not in closed}
    heads = {path[:-1]: path for path in wide if path.endswith("*") and "+" not in path}
    lengths = sorted({len(head) for head in heads})
    stepping = [path for path in wide if "+" in path.split("/")]
    for path in sorted(wide):
        above = [heads[path[:n]] for n in lengths if path[:n] in heads]
        above += [other for other in stepping if _has(other.split("/"), path.split("/"))]
        refused = {c for other in above if rank(other) < rank(path) for c in wide[other]} - wide[path]
        source = min(given[path].values())
        yield from (Permission("allow", capability, path, "", "deny", source) for capability in sorted(refused))


def _has(wide: list[str], narrow: list[str]) -> bool:
    """Say whether all paths of `narrow` are some of `wide`, both as segments; `+` is one segment that is not empty."""
    star, open_ended = wide[-1].endswith("*"), narrow[-1].endswith("*")
    whole = wide[:-1] if star else wide
    if len(narrow) < len(wide) or (not star and (len(narrow) > len(wide) or open_ended)):
        return False
    if len(whole) == len(narrow) and open_ended:
        return False
    if any(a != b and (a != "+" or not b) for a, b in zip(whole, narrow, strict=False)):
        return False
    return not star or narrow[len(wide) - 1].startswith(wide[-1][:-1])
