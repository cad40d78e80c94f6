"""Who can do what, and through what: chains over groups, roles, composites, trust; denies and boundaries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.chains import DEPTH, At, Question, World, access, steps, who_can
from nhictl.kinds.workspace import Target
from nhictl.model import Address, Permission, Resource
from nhictl.providers.aws import normalise
from nhictl.providers.aws.adapter import adapter as aws
from nhictl.providers.base import Capabilities, Kind
from nhictl.providers.local.adapter import adapter as local

ACCOUNT = "123456789012"
AWS = At(Target("aws", "aws", {"account": ACCOUNT}, Path()), aws)
OTHER = At(Target("other", "aws", {"account": "999999999999"}, Path()), aws)
LOCAL = At(Target("dir", "local", {}, Path()), local)


def document(*statements: dict[str, Any]) -> Any:
    """Return a normalised policy document."""
    return normalise.document({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that denies."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def arn(name: str, account: str = ACCOUNT) -> str:
    """Return the ARN of a role."""
    return f"arn:aws:iam::{account}:role/{name}"


def trusts(*who: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """Return a trust statement for AWS principals."""
    return {"Effect": effect, "Principal": {"AWS": list(who)}, "Action": "sts:AssumeRole", **more}


def role(name: str, *statements: dict[str, Any], trust: Any = (), target: str = "aws", **more: Any) -> Resource:
    """Return an IAM role with one inline policy."""
    attributes = {
        "path": "/", "policies": (), "inline": {"i": document(*statements)} if statements else {}, "boundary": "",
        "enabled": True, "trust": document(*trust), **more,
    }  # fmt: skip
    held = tuple(
        Address(target, "iam-policy", a.rsplit("/", 1)[1])
        for a in (*attributes["policies"], attributes["boundary"])
        if a
    )
    return Resource(Address(target, "iam-role", name), attributes, f"nhi/{name}", depends_on=held)


def policy(name: str, *statements: dict[str, Any]) -> Resource:
    """Return a customer managed policy."""
    return Resource(
        Address("aws", "iam-policy", name), {"path": "/", "document": document(*statements)}, f"role/{name}"
    )


def world(*resources: Resource) -> World:
    """Return the world of these resources."""
    return World.of((AWS, OTHER, LOCAL), resources)


def verdicts(found: World, action: str, resource: str = "*") -> dict[str, str]:
    """Return who can, might or is denied."""
    return {h.name: str(h.verdict) for h in who_can(found, Question(action, resource)).holders}


def chain(links: Any) -> str:
    """Return the names of a chain."""
    return " -> ".join(link.name for link in links)


def policy_arn(name: str) -> str:
    """Return the ARN of a customer managed policy."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def test_a_permission_is_told_with_the_policy_that_gives_it():
    """The NHI, its role, the policy; each policy that gives it is a chain of its own."""
    found = world(
        role("ci", policies=(policy_arn("a"), policy_arn("b"))),
        policy("a", allow("s3:Get*")),
        policy("b", allow("s3:Get*")),
    )
    told = [chain(g.chain) for r in access(found, "nhi/ci").own for g in r.given]
    assert told == [f"nhi/ci -> aws/iam-role/ci -> aws/iam-policy/{name}" for name in "ab"]


def test_a_grant_is_gone_through_the_other_way():
    """In the directory the grant refers to the identity, not the identity to the grant."""
    identity = Resource(Address("dir", "identity", "api"), {"enabled": True, "proof": {"local": {}}}, "nhi/api")
    permissions = ({"action": "read", "resource": "db/*", "condition": ""},)
    reader = Resource(Address("dir", "role", "reader"), {"permissions": permissions}, "role/reader")
    grant = Resource(
        Address("dir", "grant", "api:reader"), {"identity": "api", "role": "reader", "connection": ""}, "nhi/api",
        depends_on=(identity.address, reader.address),
    )  # fmt: skip
    other = replace(identity, address=Address("dir", "identity", "other"), subject="nhi/other")
    answer = who_can(world(identity, reader, grant, other), Question("read", "db/1"))
    (holder,) = answer.holders
    assert chain(holder.given[0].chain) == "nhi/api -> dir/identity/api -> dir/grant/api:reader -> dir/role/reader"


def test_a_group_gives_what_its_policies_give():
    """A user has it through the group; a group nobody read is unknown."""
    user = Resource(
        Address("aws", "iam-user", "u"), {"path": "/", "policies": (), "inline": {}, "boundary": "", "enabled": True},
        facts={"groups": ("ops", "unread")}, depends_on=(Address("aws", "iam-group", "ops"),),
    )  # fmt: skip
    group = Resource(
        Address("aws", "iam-group", "ops"), {"path": "/", "policies": (policy_arn("a"),), "inline": {}},
        depends_on=(Address("aws", "iam-policy", "a"),),
    )  # fmt: skip
    found = world(user, group, policy("a", allow("s3:GetObject")))
    (holder,) = who_can(found, Question("s3:GetObject")).holders
    assert [(str(g.held.verdict), chain(g.chain)) for g in holder.given] == [
        ("can", "aws/iam-user/u -> aws/iam-group/ops -> aws/iam-policy/a"),
        ("might", "aws/iam-user/u"),
    ]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((allow("s3:*"),), "can"),
        ((allow("S3:getobject"),), "can"),
        ((allow("s3:*"), deny("s3:Get*")), "denied"),
        ((allow("s3:*"), deny("s3:Put*")), "can"),
        ((allow("s3:*"), deny("*", Condition={"Bool": {"k": "true"}})), "can"),
        ((allow("s3:*", "other"),), None),
        (({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},), "can"),
        (({"Effect": "Allow", "NotAction": ["iam:*", "s3:Get*"], "Resource": "*"},), None),
        (({"Effect": "Allow", "Action": "s3:*", "NotResource": "b/x"},), None),
        ((allow("*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}), "can"),
        ((allow("*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}), "denied"),
    ],
)
def test_one_action_on_one_resource(statements: Any, expected: str | None):
    """Denies, negations, wildcards and case."""
    assert verdicts(world(role("x", *statements)), "s3:GetObject", "b/x").get("nhi/x") == expected


def test_a_condition_is_carried_along():
    """Neither can nor cannot: it says when."""
    found = world(
        role("x", allow("s3:*", Condition={"Bool": {"k": "true"}}), deny("*", Condition={"Bool": {"d": "true"}}))
    )
    held = who_can(found, Question("s3:GetObject", "r")).holders[0].given[0].held
    assert (held.permission.condition, [p.condition for p in held.limited_by]) == (
        '{"Bool":{"k":["true"]}}', ['{"Bool":{"d":["true"]}}'],
    )  # fmt: skip


def test_patterns_are_asked_for_overlap():
    """A deny of a part is a limit, of everything a denial."""
    assert verdicts(world(role("x", allow("s3:Get*"))), "s3:*") == {"nhi/x": "can"}
    assert verdicts(world(role("x", allow("s3:Get*"), deny("s3:*"))), "*") == {"nhi/x": "denied"}
    part = who_can(world(role("x", allow("s3:*"), deny("s3:Get*"))), Question("s3:*")).holders[0]
    assert (str(part.verdict), [p.action for p in part.given[0].held.limited_by]) == ("can", ["s3:Get*"])


def test_an_opaque_policy_might():
    """It is neither left out nor taken for a yes; a deny of everything settles it."""
    opaque = ("arn:aws:iam::aws:policy/X",)
    assert verdicts(world(role("x", policies=opaque)), "s3:GetObject") == {"nhi/x": "might"}
    assert verdicts(world(role("x", deny("*"), policies=opaque)), "s3:GetObject") == {"nhi/x": "denied"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((allow("s3:*"),), "can"),
        ((allow("ec2:*"),), "denied"),
        ((allow("*"), deny("s3:Get*")), "denied"),
        ((allow("s3:*", Condition={"Bool": {"k": "true"}}),), "can"),
    ],
)
def test_a_boundary_bounds(statements: Any, expected: str):
    """Nothing but what it allows is left."""
    bounded = role("x", allow("s3:*"), boundary=policy_arn("b"))
    assert verdicts(world(bounded, policy("b", *statements)), "s3:GetObject", "r") == {"nhi/x": expected}


def test_an_unknown_boundary_makes_unsure():
    """Nobody knows whether it lets it through."""
    bounded = role("x", allow("s3:*"), boundary="arn:aws:iam::aws:policy/B")
    assert verdicts(world(bounded), "s3:GetObject") == {"nhi/x": "might"}


def test_whoever_becomes_another_has_its_access():
    """Over several steps, with the whole chain; circles end."""
    found = world(
        role("a", trust=[trusts(arn("c"))]),
        role("b", trust=[trusts(arn("a"))]),
        role("c", allow("s3:*"), trust=[trusts(arn("b"))]),
    )
    assert verdicts(found, "s3:GetObject") == {"nhi/a": "can", "nhi/b": "can", "nhi/c": "can"}
    told = {h.name: chain(h.given[0].chain) for h in who_can(found, Question("s3:GetObject")).holders}
    assert told["nhi/a"] == "nhi/a -> aws/iam-role/a -> aws/iam-role/b -> aws/iam-role/c"
    reached = access(found, "nhi/a").others
    assert [chain(r.chain) for r in reached] == ["nhi/a -> aws/iam-role/a -> aws/iam-role/b", told["nhi/a"]]


ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize(
    ("mine", "trust", "expected"),
    [
        ((), [trusts(arn("a"))], True),
        ((), [trusts(ROOT)], False),
        ((allow("sts:AssumeRole", arn("b")),), [trusts(ROOT)], True),
        ((allow("sts:*", arn("*")),), [trusts(ROOT)], True),
        ((allow("sts:AssumeRole", arn("c")),), [trusts(ROOT)], False),
        ((allow("sts:AssumeRole", arn("b")),), [], False),
        ((deny("sts:AssumeRole"),), [trusts(arn("a"))], False),
        ((), [trusts("*")], True),
        ((), [trusts("*"), trusts(arn("a"), effect="Deny")], False),
        ((), [{"Effect": "Allow", "NotPrincipal": {"AWS": [arn("z")]}, "Action": "sts:AssumeRole"}], True),
        ((), [{"Effect": "Allow", "NotPrincipal": {"AWS": [arn("z"), arn("a")]}, "Action": "sts:AssumeRole"}], False),
        ((), [{**trusts(arn("a")), "Action": "sts:TagSession"}], False),
        ((), [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}], False),
    ],
)
def test_becoming_takes_trust_and_where_it_is_wide_a_permission(mine: Any, trust: Any, expected: bool):
    """A name in the trust is enough inside of an account; a deny on either side keeps out."""
    found = world(role("a", *mine), role("b", allow("s3:Get*"), trust=trust))
    assert ("nhi/a" in verdicts(found, "s3:GetObject")) is expected
    assert bool(access(found, "nhi/a").others) is expected
    assert ("nhi/a" in [r.chain[0].name for r in access(found, "nhi/b").entering]) is expected


@pytest.mark.parametrize("permitted", [True, False])
def test_another_account_needs_both(permitted: bool):
    """The trust names it, and its own account lets it."""
    mine = (allow("sts:AssumeRole", arn("b")),) if permitted else ()
    away = role("a", *mine, target="other")
    found = world(away, role("b", allow("s3:Get*"), trust=[trusts(arn("a", "999999999999"))]))
    assert ("nhi/a" in verdicts(found, "s3:GetObject")) is permitted


def test_a_step_that_nobody_is_sure_of_makes_might():
    """An opaque policy may hold the permission that a wide trust asks for."""
    found = world(
        role("a", policies=("arn:aws:iam::aws:policy/X",)), role("b", allow("s3:Get*"), trust=[trusts(ROOT)]),
    )  # fmt: skip
    others = access(found, "nhi/a").others
    assert [(r.identity.name, r.sure) for r in others] == [("aws/iam-role/b", False)]
    assert verdicts(found, "s3:GetObject")["nhi/a"] == "might"


def test_the_surer_way_is_told():
    """A longer way that is sure goes before a short one that is not."""
    found = world(
        role("a", policies=("arn:aws:iam::aws:policy/X",)),
        role("m", trust=[trusts(arn("a"))]),
        role("b", allow("s3:Get*"), trust=[trusts(ROOT), trusts(arn("m"))]),
    )
    assert verdicts(found, "s3:GetObject")["nhi/a"] == "can"


def test_of_two_trusts_the_one_without_a_condition_is_told():
    """Whoever is let in by two statements comes in by the one that asks for least."""
    asking = trusts(arn("ci"), Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    whole = trusts(f"arn:aws:iam::{ACCOUNT}:root")
    found = world(role("ci", allow("sts:AssumeRole")), role("target", trust=[asking, whole]))
    [step] = steps(found)
    assert step.conditions == ()


def test_chains_are_bounded_and_say_so():
    """What lies deeper is said to be there."""
    long = [role(f"r{i}", trust=[trusts(arn(f"r{i + 1}"))]) for i in range(DEPTH + 3)]
    long[0] = role("r0", allow("s3:Get*"), trust=[trusts(arn("r1"))])
    answer = who_can(world(*long), Question("s3:GetObject"))
    assert (len(answer.holders), answer.deeper) == (DEPTH + 1, True)
    assert access(world(*long), f"nhi/r{DEPTH + 2}").deeper
    assert not who_can(world(*long[:DEPTH]), Question("s3:GetObject")).deeper


def test_a_disabled_identity_can_nothing():
    """Neither by itself nor through another."""
    found = world(role("a", allow("s3:*"), enabled=False), role("b", allow("s3:*"), trust=[trusts(arn("a"))]))
    assert "nhi/a" not in {h.name for h in who_can(found, Question("s3:GetObject")).holders if not h.given[0].chain}
    assert verdicts(world(role("a", allow("s3:*"), enabled=False)), "s3:GetObject") == {}


def test_an_unmanaged_identity_is_called_by_its_address():
    """Nobody declared it, it has access all the same."""
    found = world(replace(role("x", allow("s3:Get*")), subject=""))
    assert verdicts(found, "s3:GetObject") == {"aws/iam-role/x": "can"}
    assert access(found, "aws/iam-role/x").name == "aws/iam-role/x"
    assert access(found, "nhi/x") is None


def test_a_trust_is_told_with_its_connection():
    """The connection lets in, the role is what is got into."""
    provider = Resource(
        Address("aws", "oidc-provider", "sso.example.com"), {"url": "https://sso.example.com"}, "connection/sso"
    )
    federated = {
        "Effect": "Allow", "Principal": {"Federated": [f"arn:aws:iam::{ACCOUNT}:oidc-provider/sso.example.com"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }  # fmt: skip
    found = access(world(provider, role("ci", trust=[federated])), "nhi/ci")
    assert [(chain(g.chain), g.chain[0].subject) for g in found.trust] == [
        ("aws/oidc-provider/sso.example.com -> aws/iam-role/ci", "connection/sso")
    ]


@dataclass(frozen=True)
class Paths:
    """A provider with paths: each identity has what its attributes say."""

    name: str = "paths"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities("paths", "1", {"id": Kind("Identity", identity=True)}, patterns="path")
    )

    def permissions(self, resource: Resource, known: Any) -> list[Permission]:
        """Return what the attributes say."""
        return [Permission("allow", a, r, effect=e) for e, a, r in resource.attributes["has"]]  # type: ignore[union-attr,misc]


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        ((("allow", "read", "secret/*"),), "can"),
        ((("allow", "read", "secret/*"), ("deny", "*", "secret/foo")), None),
        ((("deny", "*", "secret/*"), ("allow", "read", "secret/foo")), "can"),
        ((("allow", "read", "secret/*"), ("allow", "list", "secret/foo")), None),
        ((("allow", "read", "secret/+"), ("deny", "*", "secret/+")), "denied"),
        ((("allow", "policy:x", "*"), ("allow", "list", "secret/foo")), "might"),
        ((("allow", "read", "secret/*"), ("deny", "*", "secret/{{name}}")), "can"),
        ((("allow", "read", "secret/*"), ("allow", "list", "secret/{{name}}")), "can"),
        ((("allow", "read", "{{a}}"), ("allow", "list", "secret/foo"), ("deny", "*", "secret/f*")), "can"),
    ],
)
def test_of_several_paths_the_most_specific_counts(has: Any, expected: str | None):
    """As Vault does."""
    at = At(Target("v", "paths", {}, Path()), Paths())  # type: ignore[arg-type]
    found = World.of([at], [Resource(Address("v", "id", "x"), {"has": has})])
    assert verdicts(found, "read", "secret/foo").get("v/id/x") == expected


# An oracle that evaluates IAM's rules literally, one request at a time, and looks for ways by trying all.
NAMES = "abc"
actions = st.sampled_from(["s:r", "s:w", "s:*", "*", "sts:AssumeRole", "sts:*"])
things = st.sampled_from(["x", "y", "x*", "*", *map(arn, NAMES), arn("*")])
statements = st.builds(
    lambda effect, a, negate_a, r, negate_r: {
        "Effect": effect, "NotAction" if negate_a else "Action": a, "NotResource" if negate_r else "Resource": r,
    },
    st.sampled_from(["Allow", "Allow", "Deny"]), st.lists(actions, min_size=1, max_size=2), st.booleans(),
    st.lists(things, min_size=1, max_size=2), st.sampled_from([False, False, True]),
)  # fmt: skip
trusted = st.builds(
    lambda effect, who, negate: {
        "Effect": effect, "NotPrincipal" if negate else "Principal": {"AWS": who}, "Action": "sts:AssumeRole",
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from([*map(arn, NAMES), ROOT]), min_size=1, max_size=2, unique=True),
    st.sampled_from([False, False, False, True]),
)  # fmt: skip
roles = st.fixed_dictionaries(
    {n: st.tuples(st.lists(statements, max_size=3), st.lists(trusted, max_size=2)) for n in NAMES}
)


def fits(patterns: Any, text: str) -> bool:
    """Say whether a text matches one of some patterns."""
    return any(re.fullmatch(".*".join(map(re.escape, p.split("*"))), text, re.IGNORECASE) for p in patterns)


def applies(statement: dict[str, Any], action: str, resource: str) -> bool:
    """Say whether a statement is about a request."""
    about = fits(statement["Action"], action) if "Action" in statement else not fits(statement["NotAction"], action)
    on = (
        fits(statement["Resource"], resource)
        if "Resource" in statement
        else not fits(statement["NotResource"], resource)
    )
    return about and on


def decided(found: list[dict[str, Any]], action: str, resource: str) -> str:
    """Return what identity policies say to a request."""
    effects = {s["Effect"] for s in found if applies(s, action, resource)}
    return "Deny" if "Deny" in effects else "Allow" if effects else ""


def lets_in(trust: list[dict[str, Any]], who: str, mine: str) -> bool:
    """Say whether a role's trust, and where that takes it the caller's own policies, let the caller in."""
    if mine == "Deny":
        return False
    named = {"Allow": False, "Deny": False}
    wide = {"Allow": False, "Deny": False}
    for s in trust:
        if "NotPrincipal" in s:
            named[s["Effect"]] |= not {arn(who), ROOT} & set(s["NotPrincipal"]["AWS"])
        else:
            named[s["Effect"]] |= arn(who) in s["Principal"]["AWS"]
            wide[s["Effect"]] |= ROOT in s["Principal"]["AWS"]
    if named["Deny"] or wide["Deny"]:
        return False
    return named["Allow"] or (wide["Allow"] and mine == "Allow")


@settings(max_examples=300)
@given(roles, st.sampled_from(["s:r", "s:w", "S:R"]), st.sampled_from(["x", "y", "xy"]))
def test_who_can_agrees_with_trying_every_request(made: Any, action: str, resource: str):
    """Exactly those for whom some sequence of requests ends with what was asked."""
    found = world(*(role(n, *policies, trust=trust) for n, (policies, trust) in made.items()))
    can = {n for n, (policies, _) in made.items() if decided(policies, action, resource) == "Allow"}
    while True:
        more = {
            n for n, (policies, _) in made.items() for into in can
            if n != into and lets_in(made[into][1], n, decided(policies, "sts:AssumeRole", arn(into)))
        } - can  # fmt: skip
        if not more:
            break
        can |= more
    said = {h.name for h in who_can(found, Question(action, resource)).holders if str(h.verdict) == "can"}
    assert said == {f"nhi/{n}" for n in can}


@settings(max_examples=100)
@given(roles)
def test_both_questions_have_one_answer(made: Any):
    """Whoever can do anything at all has it in the list of what they can, and the reverse."""
    found = world(*(role(n, *policies, trust=trust) for n, (policies, trust) in made.items()))
    can = {h.name for h in who_can(found, Question("*", "*")).holders if str(h.verdict) == "can"}
    listed = set()
    for name in NAMES:
        told = access(found, f"nhi/{name}")
        given_ = [g.held for r in (*told.own, *told.others) for g in r.given]
        if any(h.permission.effect == "allow" and str(h.verdict) == "can" for h in given_):
            listed.add(f"nhi/{name}")
    assert can == listed


def test_the_same_resources_give_the_same_answer_in_any_order():
    """Files and replies come in any order."""
    made = [
        role("a", trust=[trusts(arn("b"))]),
        role("b", allow("s3:*"), trust=[trusts(arn("a"))]),
        role("c", allow("*")),
    ]
    assert who_can(world(*made), Question("s3:*")) == who_can(world(*reversed(made)), Question("s3:*"))


def test_ten_thousand_identities_are_one_pass():
    """The work grows with the identities, not with their pairs: permissions are asked for once each."""
    asked: list[Address] = []

    @dataclass(frozen=True)
    class Counting(Paths):
        def permissions(self, resource: Resource, known: Any) -> list[Permission]:
            assert len(known) == 2
            asked.append(resource.address)
            return [Permission("allow", "read", resource.address.name, source=str(next(iter(resource.depends_on))))]

    at = At(Target("v", "paths", {}, Path()), Counting())  # type: ignore[arg-type]
    shared = Resource(Address("v", "policy", "p"), {})
    many = [Resource(Address("v", "id", f"i{i}"), {}, depends_on=(shared.address,)) for i in range(10_000)]
    answer = who_can(World.of([at], [shared, *many]), Question("read", "i77"))
    assert [chain(h.given[0].chain) for h in answer.holders] == ["v/id/i77 -> v/policy/p"]
    assert len(asked) == 10_000


def test_what_one_has_twice_is_told_twice():
    """By itself and by becoming another: taking one of them away is not enough."""
    found = world(role("a", allow("s3:*")), role("b", allow("s3:Get*"), trust=[trusts(arn("a"))]))
    told = {h.name: [chain(g.chain) for g in h.given] for h in who_can(found, Question("s3:GetObject")).holders}
    assert told["nhi/a"] == ["nhi/a -> aws/iam-role/a", "nhi/a -> aws/iam-role/a -> aws/iam-role/b"]
