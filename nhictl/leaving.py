"""Leave alone what others manage: the rules of `spec.ignore` in `nhictl.yaml`. Pure.

Rules enforced here:
- a rule matches by target, kind, name, path and tag; every field it has must match; patterns know `*` and `?` alone,
  and case counts;
- an expired rule matches nothing any more;
- whatever a plan would do to a live object that a rule matches is blocked, and the finding names the rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from nhictl.kinds.workspace import Ignore
from nhictl.model import Change, Finding, Resource


def rule_for(rules: Iterable[Ignore], resource: Resource, today: dt.date) -> Ignore | None:
    """Return the first rule that counts on `today` and matches the live object `resource`; None when none does."""
    return next((rule for rule in rules if not rule.expired(today) and matches(rule, resource)), None)


def matches(rule: Ignore, resource: Resource) -> bool:
    """True when `rule` is about the live object `resource`, expired or not."""
    address = resource.address
    tags = tags_of(resource) if rule.tags else {}
    return (
        _any(rule.targets, address.target)
        and _any(rule.kinds, address.kind)
        and _any(rule.names, address.name)
        and _any(rule.paths, str(resource.attributes.get("path") or ""))
        and all(key in tags and like(tags[key], pattern) for key, pattern in rule.tags)
    )


def like(text: str, pattern: str) -> bool:
    """True when `text` fits `pattern`: `*` stands for any characters, `?` for one, everything else for itself."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def tags_of(resource: Resource) -> Mapping[str, str]:
    """Return the tags or labels of a live object, those in its facts included."""
    found: dict[str, str] = {}
    for source in (resource.facts.get("tags"), resource.attributes.get("tags"), resource.attributes.get("labels")):
        if isinstance(source, Mapping):
            found |= {key: str(value) for key, value in source.items()}
    return found


def guarded(
    rules: Iterable[Ignore], today: dt.date, live: Resource | None, decision: Change | Finding | None
) -> Change | Finding | None:
    """Return `decision`, or the finding that blocks it where a rule says that `live` is left alone."""
    if live is None or not isinstance(decision, Change):
        return decision
    rule = rule_for(rules, live, today)
    if rule is None:
        return decision
    return Finding(
        "ignored", "error", str(decision.address),
        f"is left alone by spec.ignore[{rule.index}] of nhictl.yaml ({rule.reason}), so no {decision.action}",
        f"narrow the rule or let it expire; or do not declare {decision.subject}, and where it is managed,"
        f" `nhictl ledger forget {decision.address}`",
    )  # fmt: skip


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(like(text, pattern) for pattern in patterns)
