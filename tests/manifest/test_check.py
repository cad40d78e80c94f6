"""Documents checked together: references, environments, targets, variables by environment, placement."""

import datetime as dt
from pathlib import Path

import pytest

from nhictl.manifest import reader, workspace
from nhictl.manifest.check import check
from nhictl.model import Severity

TODAY = dt.date(2026, 11, 22)
WORKSPACE = """
apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {name: shop}
spec:
  environments:
    staging:
      vars: {region: eu-west-1, owner: payments}
      targets: {directory: {provider: local, path: a.db}}
    prod:
      vars: {region: eu-central-1, owner: nobody, bad: "Not A Name"}
      targets: {aws-prod: {provider: aws, account: "222222222222"}}
    both:
      targets: {aws-both: {provider: aws, account: "222222222222"}, local-both: {provider: local, path: b.db}}
"""


def document(kind, name, spec, metadata=""):
    return (
        f"apiVersion: nhictl.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec: {{{spec}}}\n---\n"
    )


OWNER = document("Owner", "payments", 'type: team, contact: {chat: "#p"}, members: [{name: lead}]')
ROLE = document(
    "Role",
    "deployer",
    'owner: payments, environments: [prod], aws: {statements: {actions: ["ecs:*"], resources: ["*"]}}',
)
LOCAL = document("Role", "reader", "owner: payments, local: {permissions: [{actions: [read], resources: [a]}]}")
CONNECTION = document(
    "Connection", "github-to-aws", "owner: payments, issuer: {githubActions: {organization: example}}, aws: {}"
)
COMMON = OWNER + ROLE + LOCAL + CONNECTION


WAIVER = "rule: NHI201, reason: r, compensatingControls: [c], approvedBy: [owner/payments], granted: 2026-01-01"
RULE = "{id: ORG001, message: m, require: 'true', match: {owners: [x]}}"


def nhi(name="ci", more="", *, owner="payments", environments="prod", identity="spiffe: {id: 'spiffe://a/b'}"):
    spec = f"type: workload, owner: {owner}, purpose: x, environments: [{environments}], identity: {{{identity}}}"
    return document("NHI", name, spec + (f", {more}" if more else ""))


def checked(text, *, settings=WORKSPACE):
    documents, wrong = reader.parse(text.encode(), "a.yaml")
    assert not wrong
    return check(documents, workspace.parse(settings.encode(), Path())[0], TODAY)


def codes(text, **more):
    return [d.code for d in checked(text, **more)]


def only(text):
    found = checked(text)
    assert len(found) == 1, found
    return found[0]


def test_good_workspace_has_no_problems():
    """A workspace where all references hold passes without a warning."""
    assert checked(COMMON + nhi(more="grants: [{role: deployer, via: github-to-aws}]")) == []


def test_missing_reference_is_told_where_it_stands_with_a_near_miss():
    """The position is the reference's own; the closest name of the right kind is offered."""
    text = COMMON + nhi(more="grants: [{role: deployr}]")
    found = only(text)
    line = text.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 :][: found.span.width] == "deployr"
    assert (found.code, found.hint) == ("E301", "did you mean `deployer`?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nhi(owner="deployer"), ["E302"]),
        (nhi(environments="prod, stagin"), ["E306"]),
        (nhi(more="targets: [aws-prd]"), ["E307"]),
        (nhi(environments="staging", more="targets: [aws-prod]"), ["E307"]),
        (nhi(more="grants: [{role: deployer, environments: [staging]}]"), ["E308"]),
        (nhi(environments="staging, prod", more="grants: [{role: deployer}]"), ["E308"]),
        (nhi(more="grants: [{role: deployer}, {role: deployer, expires: 2030-01-01}]"), ["E310"]),
        (nhi(environments="both", more="grants: [{role: reader, via: github-to-aws}]"), ["E311"]),
        (nhi(more="grants: [{role: deployer, expires: 2026-11-22}]"), ["W602"]),
        (nhi(more="lifecycle: {expires: 2026-11-22}"), ["W603"]),
        (nhi(more="grants: [{role: reader}]"), ["W605"]),
        (nhi(more="agent: {sponsor: led}").replace("type: workload", "type: ai-agent"), ["E301"]),
        (document("Role", "r", "owner: payments, target: aws-prd, aws: {path: /}"), ["E307"]),
        (document("Role", "r", "owner: payments, target: directory, aws: {path: /}"), ["E309"]),
        (document("Role", "r", "owner: payments, vault: {paths: [{path: a, capabilities: [read]}]}"), ["W604"]),
        (document("Owner", "o", 'type: team, contact: {chat: "#o"}, backup: nobody'), ["E301"]),
        (document("Exception", "e", f"{WAIVER}, subjects: [nhi/x], expires: 2027-01-01"), ["E301"]),
        (document("Exception", "e", f"{WAIVER}, subjects: [role/reader], expires: 2026-01-01"), ["W603"]),
        (document("Policy", "p", f"level: hard, on: plan, environments: [x], rules: [{RULE}]"), ["E306", "E301"]),
    ],
)  # fmt: skip
def test_reference_problems(text, expected):
    """Each kind of reference problem has its code, once."""
    assert codes(COMMON + text) == expected


def test_reference_to_a_broken_object_counts():
    """An object that does not fit its schema still is there for those that name it."""
    broken = ROLE.replace("owner: payments", "ownr: payments")
    assert codes(OWNER + broken + nhi(more="grants: [{role: deployer}]")) == ["E201"]


def test_references_of_a_broken_object_are_told_too():
    """All errors in one run: a wrong shape does not hide a wrong owner or role."""
    text = nhi(owner="paymentz", more="tier: hihg, grants: [{role: deployr}]", environments="prd")
    assert codes(COMMON + text) == ["E301", "E306", "E204", "E301"]


def test_duplicates_name_both_places():
    """The second of two objects of one name points to the first."""
    found = only(COMMON + ROLE)
    assert found.code == "E303"
    ((first, label),) = found.related
    assert (first.line, found.span.line, label) == (8, 23, "first declared here")


def test_same_name_in_two_kinds_is_fine():
    """Names are unique within a kind only."""
    assert checked(COMMON + nhi(name="deployer")) == []


def test_former_names_clash():
    """A former name that is in use, or claimed twice, is told with the other place."""
    two = document("Owner", "a", 'type: team, contact: {chat: "#a"}', ", previously: [old, payments]")
    three = document("Owner", "b", 'type: team, contact: {chat: "#b"}', ", previously: [old]")
    found = checked(OWNER + two + three)
    assert [d.code for d in found] == ["E304", "E304"]
    assert "`payments`" in found[0].summary
    assert found[1].related


def test_circle_of_backups_is_named():
    """A circle is told once, with everyone in it."""
    ring = "".join(
        document("Owner", a, f'type: team, contact: {{chat: "#x"}}, backup: {b}') for a, b in ("ab", "bc", "ca", "da")
    )
    found = only(ring)
    assert (found.code, found.summary.endswith("a -> b -> c -> a")) == ("E305", True)
    assert len(found.related) == 2


def test_identities_that_assume_each_other_are_a_circle():
    """Two IAM roles that trust each other cannot be made in any order."""
    one = nhi("one", identity="awsPrincipal: {role: two}")
    two = nhi("two", identity="awsPrincipal: {role: one}")
    found = only(COMMON + one + two)
    assert "one -> two -> one" in found.summary


def test_departed_owner_is_a_warning():
    """An owner that is gone warns, so that the build of those who clean up does not fail."""
    found = only(OWNER.replace("type: team", "departed: 2026-11-22, type: team") + LOCAL)
    assert (found.code, found.severity) == ("W601", Severity.WARNING)


def test_owner_that_departs_tomorrow_is_still_there():
    """The day of departure is the first day gone."""
    assert checked(OWNER.replace("type: team", "departed: 2026-11-23, type: team") + LOCAL) == []


def test_variable_is_checked_in_each_environment():
    """A reference made by a variable is followed in every environment; the wrong one is told once."""
    found = only(COMMON + nhi(owner='"${vars.owner}"', environments="staging, prod"))
    assert (found.code, found.summary) == ("E301", "no Owner is called `nobody`")


def test_variable_without_a_value_in_one_environment():
    """The environment without the value is named; several become one diagnostic."""
    found = only(COMMON + nhi(environments="both, prod", identity="local: {}", more='service: "${vars.region}"'))
    assert (found.code, "both" in found.detail, "prod" in found.detail) == ("E401", True, False)
    found = only(COMMON + nhi(environments="staging, prod", more='service: "${vars.none}"'))
    assert "staging" in found.detail
    assert "prod" in found.detail


def test_variable_cannot_smuggle_an_invalid_value():
    """What a variable puts in must fit the schema like anything else."""
    found = only(COMMON + nhi(more='service: "${vars.bad}"'))
    assert found.code == "E205"


def test_target_variables_are_checked_in_the_targets_of_the_object():
    """`${env.account}` has a value in an AWS target and none in the directory."""
    role = ROLE.replace('["*"]', '["arn:aws:ecs:x:${env.account}:a"]')
    assert checked(OWNER + role) == []
    local = LOCAL.replace("resources: [a]", 'resources: ["${env.account}"]')
    assert set(codes(OWNER + local)) == {"E401"}


def test_ambiguous_placement_is_an_error():
    """With two targets of a provider an NHI says which."""
    twin = WORKSPACE.replace(
        "local-both: {provider: local, path: b.db}", 'aws-2: {provider: aws, account: "333333333333"}'
    )
    text = COMMON + nhi(environments="both", identity="awsUser: {}")
    assert codes(text, settings=twin) == ["E581"]
    assert (
        codes(COMMON + nhi(environments="both", identity="awsUser: {}", more="targets: [aws-2]"), settings=twin) == []
    )


def test_nothing_leads_to_a_target():
    """An identity without roles in an environment with several targets is realised nowhere."""
    assert codes(COMMON + nhi(environments="both")) == ["E580"]
    assert codes(COMMON + nhi(environments="both", identity="local: {}")) == []


def test_order_of_documents_does_not_matter():
    """The same problems come out whatever the order of the manifests, placed by their own text."""
    parts = [*(COMMON + nhi(owner="x", more="grants: [{role: y}]")).split("---\n")[:-1]]
    one = {(d.code, d.summary) for d in checked("---\n".join(parts))}
    two = {(d.code, d.summary) for d in checked("---\n".join(reversed(parts)))}
    assert one == two


def test_broken_workspace_does_not_hide_manifests():
    """Without a usable `nhictl.yaml` shapes and references are still checked."""
    documents, _ = reader.parse((COMMON + nhi(owner="x", more='tier: hihg, service: "${vars.q}"')).encode(), "a.yaml")
    assert [d.code for d in check(documents, None, TODAY)] == ["E301", "E204"]


def test_unsound_document_is_not_judged():
    """A document the reader refused parts of is only there for references."""
    text = COMMON + nhi(owner="x")
    documents, wrong = reader.parse((text + "a: &b c\n").encode(), "a.yaml")
    assert wrong
    assert all(d.code.startswith("E") for d in check(documents, None, TODAY))
