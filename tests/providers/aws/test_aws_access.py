"""What an identity may do in AWS, from resources alone."""

from __future__ import annotations

from typing import Any

from nhictl.model import Address, Permission, Resource
from nhictl.providers.aws import normalise
from nhictl.providers.aws.access import permissions
from nhictl.providers.aws.convert import DENY_ALL

ROLE = Address("t", "iam-role", "x")
POLICY = Address("t", "iam-policy", "p")


def document(*statements: dict[str, Any]) -> Any:
    """Return a normalised document."""
    return normalise.document({"Version": "2012-10-17", "Statement": list(statements)})


def role(**attributes: Any) -> Resource:
    """Return a role that has only what is given."""
    base = {"path": "/", "policies": (), "inline": {}, "boundary": "", "trust": document(), "enabled": True}
    return Resource(ROLE, {**base, **attributes})


def test_a_known_policy_is_expanded_and_another_is_opaque() -> None:
    """Policies are found by ARN; what is not known is named, never left out."""
    known = {
        POLICY: Resource(
            POLICY,
            {"path": "/a/", "document": document({"Effect": "Allow", "Action": ["s:b", "s:a"], "Resource": "r"})},
        )
    }
    arns = (
        "arn:aws:iam::123456789012:policy/a/p", "arn:aws:iam::123456789012:policy/p", "arn:aws:iam::aws:policy/a/p",
    )  # fmt: skip
    found = set(permissions(role(policies=arns), known))
    assert found == {
        Permission("allow", "s:a", "r"),
        Permission("allow", "s:b", "r"),
        Permission("allow", "policy:arn:aws:iam::123456789012:policy/p", "*"),
        Permission("allow", "policy:arn:aws:iam::aws:policy/a/p", "*"),
    }
    assert {p.source for p in found if p.action == "s:a"} == {"t/iam-policy/p"}


def test_denials_negations_conditions_and_boundaries_are_shown() -> None:
    """NotAction and NotResource keep their negation, a boundary takes away."""
    inline = document(
        {"Effect": "Deny", "NotAction": ["s:b", "s:a"], "Resource": "r"},
        {"Effect": "Allow", "Action": "s:c", "NotResource": "q", "Condition": {"Bool": {"k": True}}},
    )
    found = set(permissions(role(inline={"i": inline}, boundary="arn:b"), {}))
    assert found == {
        Permission("allow", "not:s:a,s:b", "r", effect="deny"),
        Permission("allow", "s:c", "not:q", '{"Bool":{"k":["true"]}}'),
        Permission("allow", "not:policy:arn:b", "*", effect="deny"),
    }


def test_a_disabled_identity_has_no_access_and_nobody_becomes_it() -> None:
    """Neither policies nor trust count."""
    trust = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
    off = role(enabled=False, trust=trust, inline={"i": DENY_ALL}, policies=("arn:aws:iam::aws:policy/X",))
    assert list(permissions(off, {})) == []


def test_the_groups_of_a_user_are_access() -> None:
    """What a group gives is not read, but that it gives something is shown."""
    user = Resource(Address("t", "iam-user", "u"), {"policies": (), "inline": {}}, facts={"groups": ("admins",)})
    assert list(permissions(user, {})) == [Permission("allow", "group:admins", "*")]
