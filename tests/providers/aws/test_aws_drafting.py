"""Live AWS objects in the words of manifests: what is said, and what is left to be kept."""

import pytest

from nhictl.kinds.workspace import Ignore
from nhictl.leaving import matches
from nhictl.providers.aws import convert, normalise, statements
from nhictl.providers.aws.drafting import drafts
from nhictl.providers.aws.names import Account

HERE = Account("prod", "123456789012")
EC2 = {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}


def role(name="job", path="/", trust=None, **more):
    arn = f"arn:aws:iam::123456789012:role{path}{name}"
    data = {"Path": path, "RoleName": name, "RoleId": f"AROA{name}", "Arn": arn, "Description": "Runs jobs"}
    data["AssumeRolePolicyDocument"] = trust or {"Version": "2012-10-17", **EC2}
    return convert.role(HERE, data | more)


def made(*live):
    known = {r.address: r for r in live}
    return list(drafts(known, known.keys()))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
            {"actions": ["s3:Get*"], "resources": ["*"]},
        ),
        (
            {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "arn:aws:s3:::x", "Sid": "No"},
            {"sid": "No", "effect": "deny", "notActions": ["iam:*"], "notResources": ["arn:aws:s3:::x"]},
        ),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Odd": 1}, None),
        ({"Effect": "Allow", "Action": "*:*", "Resource": "*"}, None),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a b": "true"}}}, None),
    ],
)
def test_a_statement_is_said_whole_or_not_at_all(statement, expected):
    """A single statement needs no list; an element that manifests do not know leaves the policy unsaid."""
    document = normalise.document({"Version": "2012-10-17", "Statement": statement})
    assert statements.spoken(document) == (None if expected is None else [expected])


@pytest.mark.parametrize("more", [{"Id": "x"}, {"Version": "2008-10-17"}])
def test_an_id_or_an_old_version_is_not_lost(more):
    """What composing would drop is not said."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert statements.spoken(normalise.document({"Version": "2012-10-17", "Statement": statement, **more})) is None


def test_what_belongs_to_aws_gives_no_draft():
    """Service-linked roles and those of AWS's single sign-on are not the account's."""
    linked = role("AWSServiceRoleForSupport", "/aws-service-role/support.amazonaws.com/")
    assert made(linked, role("AWSReservedSSO_Admin", "/aws-reserved/sso.amazonaws.com/")) == []


def test_what_several_roles_have_is_one_manifest():
    """A policy of AWS and a session length are Roles of their own, made once."""
    attached = [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
    more = {"AttachedManagedPolicies": attached, "MaxSessionDuration": 43200}
    found = made(role("a", **more), role("b", **more))
    shared = {d.called: d.spec["aws"] for d in found if d.kind == "Role"}
    assert shared == {
        "ReadOnlyAccess": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        "session-12h": {"maxSessionDuration": "12h"},
    }


def test_a_principal_elsewhere_needs_a_connection():
    """An account of others becomes a Connection with its external id, and the role comes through it."""
    principal = {"AWS": "arn:aws:iam::333333333333:role/vendor"}
    condition = {"StringEquals": {"sts:ExternalId": "agreed-1"}}
    said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    nhi, connection = made(role(trust={"Version": "2012-10-17", "Statement": [said]}))
    assert nhi.spec["identity"] == {"awsPrincipal": {"arn": "arn:aws:iam::333333333333:role/vendor"}}
    assert connection.spec["issuer"] == {"awsAccount": {"account": "333333333333", "externalId": "agreed-1"}}


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["arn:aws:iam::333333333333:root", "arn:aws:iam::444444444444:root"]},
        {"AWS": "AROAX"},
    ],
)
def test_a_trust_in_many_is_kept(principal):
    """Wildcards, lists and principals that are gone stay as they are."""
    said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    [nhi] = made(role(trust={"Version": "2012-10-17", "Statement": [said]}))
    assert (nhi.spec["identity"], nhi.keep) == ({"existing": {}}, ("trust",))


def test_tags_of_aws_are_there_for_rules():
    """What CloudFormation tagged can be left alone by its tag."""
    stack = role("cdk-x", Tags=[{"Key": "aws:cloudformation:stack-name", "Value": "CDKToolkit"}])
    assert matches(Ignore(0, "CDK", tags=(("aws:cloudformation:stack-name", "*"),)), stack)
    assert stack.attributes["tags"] == {}
