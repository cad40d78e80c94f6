"""Sessions against an AWS over HTTP: few reads, exact writes, nothing of others touched."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Fault, Operation, ProviderError, Resource, Status
from nhictl.providers.aws.adapter import AwsAdapter
from nhictl.providers.aws.calls import Calls
from nhictl.providers.base import Scope
from tests.providers.aws.estates import connection_of, nhi_of, resources, role_of
from tests.providers.aws.wire import ACCOUNT, Wire, refusal, reply

OPERATION = Operation("op-1", "w/e")
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
SERVICE = "{awsService: {service: ec2.amazonaws.com}}"
STATEMENTS = "statements: [{actions: [s3:GetObject], resources: ['*']}]"


def creating(resource: Resource) -> Change:
    """Return the change that creates a resource."""
    return Change(resource.address, Action.CREATE, resource.subject, "test", after=resource)


def updating(live: Resource, after: Resource) -> Change:
    """Return the change from a live resource to a desired one."""
    return Change(
        live.address, Action.UPDATE, after.subject, "test", native_id=live.native_id, before=live, after=after
    )


def deleting(live: Resource) -> Change:
    """Return the change that deletes a live resource."""
    return Change(live.address, Action.DELETE, "nhi/x", "test", native_id=live.native_id, before=live)


@pytest.fixture()
def aws(adapter: AwsAdapter, target: Target, wire: Wire) -> Any:
    """A session that may write."""
    with adapter.connect(target, write=True) as session:
        yield session


def at(kind: str, name: str) -> Address:
    """Return an address in the test's target."""
    return Address("aws-test", kind, name)


def test_a_thousand_unchanged_roles_are_read_in_five_calls(
    adapter: AwsAdapter, target: Target, wire: Wire, iam: Any
) -> None:
    """Identity, two pages of a thousand, the list of providers and one provider."""
    from moto.iam.models import iam_backends

    backend = iam_backends[ACCOUNT]["aws"]
    for number in range(1000):
        backend.create_role(f"role-{number:04}", json.dumps(TRUST), "/", None, "d", [], "3600")
    iam.create_open_id_connect_provider(Url="https://gitlab.com", ClientIDList=["a"], ThumbprintList=["a" * 40])
    wire.operations.clear()
    wanted = frozenset({at("oidc-provider", "gitlab.com"), *(at("iam-role", f"role-{n:04}") for n in range(1000))})
    with adapter.connect(target, write=False) as session:
        session.identity()
        found = list(session.read(Scope(frozenset({"iam-role", "oidc-provider"}), wanted)))
    assert len(found) == 1001
    assert sorted(wire.operations) == [
        "GetAccountAuthorizationDetails", "GetCallerIdentity", "GetOpenIDConnectProvider",
        "ListOpenIDConnectProviders", "ListRoles",
    ]  # fmt: skip


def test_every_page_is_read(adapter: AwsAdapter, target: Target, wire: Wire, iam: Any) -> None:
    """A list in two pages is one list."""
    for name in ("a", "b"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))

    whole: list[str] = []

    def fault(operation: str, request: Any, send: Any) -> Any:
        if operation != "ListRoles":
            return send(request)
        wanted = "b" if whole else "a"
        whole.append(whole[0] if whole else send(request).text)
        head, _, rest = whole[0].partition("<Roles>")
        members, _, tail = rest.partition("</Roles>")
        kept = "".join(f"{m}</member>" for m in members.split("</member>") if f"<RoleName>{wanted}<" in m)
        more = "true</IsTruncated><Marker>next</Marker>" if wanted == "a" else "false</IsTruncated>"
        tail = tail.replace("false</IsTruncated>", more)
        head = head.replace("false</IsTruncated>", more)
        return reply(request, 200, f"{head}<Roles>{kept}</Roles>{tail}")

    with wire.faulty(fault), adapter.connect(target, write=False) as session:
        found = [r.address.name for r in session.read(Scope(frozenset({"iam-role"})))]
    assert found == ["a", "b"]
    assert wire.operations.count("ListRoles") == 2


def test_a_reading_session_sends_no_change(adapter: AwsAdapter, target: Target, wire: Wire) -> None:
    """The refusal comes before the request, for every client of the session."""
    (role,) = resources(nhi_of(SERVICE)).values()
    with adapter.connect(target, write=False) as session, pytest.raises(ProviderError) as refused:
        session.apply(creating(role), OPERATION)
    assert refused.value.fault is Fault.READ_ONLY
    assert wire.changes() == []


def test_the_guard_is_at_the_transport(adapter: AwsAdapter, target: Target, wire: Wire) -> None:
    """Even a client taken out of a reading session cannot change anything."""
    with adapter.connect(target, write=False) as session:
        calls: Calls = session.calls  # type: ignore[attr-defined]
        with pytest.raises(ProviderError) as refused:
            calls.clients["iam"].delete_role(RoleName="x")
    assert refused.value.fault is Fault.READ_ONLY
    assert wire.operations == []


def test_another_account_is_refused(adapter: AwsAdapter, target: Target, wire: Wire) -> None:
    """The target's account and the credentials' account must be one."""
    other = Target(target.name, "aws", {"account": "999999999999"}, target.root)
    with adapter.connect(other, write=True) as session, pytest.raises(ProviderError) as refused:
        session.identity()
    assert (refused.value.fault, refused.value.exit) == (Fault.AUTH, 4)


def test_an_assumed_role_is_our_own_principal(adapter: AwsAdapter, target: Target, wire: Wire, iam: Any) -> None:
    """Credentials come from AssumeRole with our session name; the role and who assumed it are protected."""
    arn = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    settings = {**target.settings, "assumeRole": arn, "externalId": "agreed"}
    with adapter.connect(Target("aws-test", "aws", settings, target.root), write=False) as session:
        identity = session.identity()
        list(session.read(Scope(frozenset({"iam-role"}))))
    assert identity.principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/nhictl"
    assert at("iam-role", "deploy") in identity.own
    assert wire.operations.count("AssumeRole") == 1


def test_creating_a_role_is_one_call_and_its_policies(aws: Any, wire: Wire) -> None:
    """Mark, boundary, tags and session length are part of the create call."""
    text = role_of("{inline: true, statements: [{actions: [s3:Get*], resources: ['*']}]}")
    role = resources(text + nhi_of(SERVICE, grants="[{role: r}]"))["iam-role/x"]
    outcome = aws.apply(creating(role), OPERATION)
    assert wire.changes() == ["CreateRole", "PutRolePolicy"]
    live = aws.reread([role.address])[role.address]
    assert (live.native_id, live.mark.operation) == (outcome.native_id, "op-1")
    assert live.attributes == role.attributes
    assert len(outcome.request_ids) == 2


def test_a_half_made_role_is_finished_by_the_same_operation(aws: Any, wire: Wire) -> None:
    """Partial says so and names the object; repeating the operation goes on where it stopped."""
    text = role_of("{inline: true, statements: [{actions: [s3:Get*], resources: ['*']}]}")
    role = resources(text + nhi_of(SERVICE, grants="[{role: r}]"))["iam-role/x"]

    def fault(operation: str, request: Any, send: Any) -> Any:
        return refusal(request, 403, "AccessDenied") if operation == "PutRolePolicy" else send(request)

    with wire.faulty(fault), pytest.raises(ProviderError) as failed:
        aws.apply(creating(role), OPERATION)
    assert (failed.value.fault, failed.value.code) == (Fault.PARTIAL, "AccessDenied")
    assert failed.value.native_id.startswith("AROA")
    assert aws.apply(creating(role), OPERATION).status is Status.APPLIED
    assert aws.reread([role.address])[role.address].attributes == role.attributes


def test_grants_come_before_revokes_and_only_differences_are_sent(aws: Any, wire: Wire) -> None:
    """One update attaches before it detaches; a role read again just now is not read a third time."""
    policies = role_of("{managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}")
    after = resources(policies + nhi_of(SERVICE, grants="[{role: r}]"))["iam-role/x"]
    before = replace(
        after, attributes={**after.attributes, "policies": ("arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess",)}
    )
    aws.apply(creating(before), OPERATION)
    live = aws.reread([after.address])[after.address]
    wire.operations.clear()
    aws.apply(updating(live, after), OPERATION)
    assert wire.operations == ["AttachRolePolicy", "DetachRolePolicy"]


def test_disabling_denies_first_and_is_reversible(aws: Any, wire: Wire) -> None:
    """One call switches off, one switches on; grants stay as they are."""
    (role,) = resources(nhi_of(SERVICE)).values()
    aws.apply(creating(role), OPERATION)
    live = aws.reread([role.address])[role.address]
    wire.operations.clear()
    aws.apply(Change(role.address, Action.DISABLE, "nhi/x", "t", native_id=live.native_id, before=live), OPERATION)
    assert wire.changes() == ["PutRolePolicy"]
    off = aws.reread([role.address])[role.address]
    assert (off.attributes["enabled"], off.attributes["inline"]) == (False, {})
    aws.apply(updating(off, role), OPERATION)
    assert aws.reread([role.address])[role.address].attributes["enabled"] is True


def test_foreign_tags_stay(aws: Any, iam: Any) -> None:
    """A tag somebody else put on our role survives an update of ours."""
    (role,) = resources(nhi_of(SERVICE)).values()
    aws.apply(creating(role), OPERATION)
    iam.tag_role(RoleName="x", Tags=[{"Key": "theirs", "Value": "1"}])
    live = aws.reread([role.address])[role.address]
    aws.apply(updating(live, replace(role, attributes={**role.attributes, "tags": {"ours": "2"}})), OPERATION)
    assert aws.reread([role.address])[role.address].attributes["tags"] == {"ours": "2", "theirs": "1"}


def test_a_role_in_an_instance_profile_is_in_use(aws: Any, iam: Any, wire: Wire) -> None:
    """Machines run with it: the delete is refused before anything is taken away."""
    iam.create_role(RoleName="x", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName="machines")
    iam.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="x")
    live = aws.reread([at("iam-role", "x")])[at("iam-role", "x")]
    wire.operations.clear()
    with pytest.raises(ProviderError) as refused:
        aws.apply(deleting(live), OPERATION)
    assert refused.value.fault is Fault.IN_USE
    assert "machines" in refused.value.message
    assert wire.changes() == []


def test_a_policy_that_others_use_is_not_deleted(aws: Any, iam: Any, wire: Wire) -> None:
    """Foreign users are named; from what is ours it is detached."""
    found = resources(
        role_of("{statements: [{actions: [s3:Get*], resources: ['*']}]}") + nhi_of(SERVICE, grants="[{role: r}]")
    )
    for key in ("iam-policy/r", "iam-role/x"):
        aws.apply(creating(found[key]), OPERATION)
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = f"arn:aws:iam::{ACCOUNT}:policy/r"
    iam.attach_role_policy(RoleName="theirs", PolicyArn=arn)
    live = aws.reread([at("iam-policy", "r")])[at("iam-policy", "r")]
    with pytest.raises(ProviderError) as refused:
        aws.apply(deleting(live), OPERATION)
    assert (refused.value.fault, "role theirs" in refused.value.message) == (Fault.IN_USE, True)
    assert "role x" not in refused.value.message
    iam.detach_role_policy(RoleName="theirs", PolicyArn=arn)
    aws.apply(deleting(live), OPERATION)
    assert aws.reread([at("iam-policy", "r")]) == {}
    assert aws.reread([at("iam-role", "x")])[at("iam-role", "x")].attributes["policies"] == ()


def test_a_policy_keeps_to_five_versions(aws: Any, iam: Any) -> None:
    """The oldest version that is not the default goes; the new one is the default."""
    (policy,) = resources(role_of("{statements: [{actions: [s3:Get0], resources: ['*']}]}")).values()
    aws.apply(creating(policy), OPERATION)
    for number in range(1, 8):
        live = aws.reread([policy.address])[policy.address]
        text = role_of(f"{{statements: [{{actions: [s3:Get{number}], resources: ['*']}}]}}")
        (after,) = resources(text).values()
        aws.apply(updating(live, after), OPERATION)
    versions = iam.list_policy_versions(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/r")["Versions"]
    assert sorted(v["VersionId"] for v in versions) == ["v4", "v5", "v6", "v7", "v8"]
    assert aws.reread([policy.address])[policy.address].attributes["document"] == after.attributes["document"]


def test_a_provider_that_roles_trust_is_not_deleted(aws: Any, wire: Wire) -> None:
    """AWS would delete it and break them; the roles are named instead."""
    found = resources(
        connection_of("{githubActions: {organization: example}}")
        + nhi_of("{githubActions: {repository: example/app, branch: main}}")
    )
    provider, role = found["oidc-provider/token.actions.githubusercontent.com"], found["iam-role/x"]
    for resource in (provider, role):
        aws.apply(creating(resource), OPERATION)
    live = aws.reread([provider.address, role.address])
    wire.operations.clear()
    with pytest.raises(ProviderError) as refused:
        aws.apply(deleting(live[provider.address]), OPERATION)
    assert (refused.value.fault, refused.value.message[-1]) == (Fault.IN_USE, "x")
    assert wire.changes() == []
    aws.apply(deleting(live[role.address]), OPERATION)
    aws.apply(deleting(live[provider.address]), OPERATION)
    assert aws.reread([provider.address]) == {}


def test_a_user_goes_with_everything_that_hangs_on_it(aws: Any, iam: Any) -> None:
    """Keys, login profile, groups and policies go before the user; its keys are facts before."""
    (user,) = resources(nhi_of("{awsUser: {}}")).values()
    aws.apply(creating(user), OPERATION)
    key = iam.create_access_key(UserName="x")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="x", Password="Long-Enough-1")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="x")
    iam.put_user_policy(UserName="x", PolicyName="p", PolicyDocument=ALLOW)
    live = aws.reread([user.address])[user.address]
    assert [k["id"] for k in live.facts["credentials"]] == [key]
    assert live.facts["groups"] == ("g",)
    aws.apply(deleting(live), OPERATION)
    assert aws.reread([user.address]) == {}
    assert iam.get_group(GroupName="g")["Users"] == []


def test_service_linked_roles_are_read_and_never_changed(aws: Any, iam: Any, wire: Wire) -> None:
    """What belongs to AWS is refused for every change."""
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    (live,) = [r for r in aws.read(Scope(frozenset({"iam-role"}))) if r.facts.get("builtin")]
    wire.operations.clear()
    for change in (deleting(live), updating(live, live)):
        with pytest.raises(ProviderError) as refused:
            aws.apply(change, OPERATION)
        assert refused.value.fault is Fault.DENIED
    assert wire.changes() == []


def test_a_throttled_change_waits_longer_each_time(target: Target, wire: Wire) -> None:
    """A throttle is known not to have taken effect: it is tried again, with growing waits."""
    waits: list[float] = []
    left = [4]

    def fault(operation: str, request: Any, send: Any) -> Any:
        if operation != "CreateRole" or not left[0]:
            return send(request)
        left[0] -= 1
        return refusal(request, 400, "Throttling")

    (role,) = resources(nhi_of(SERVICE)).values()
    with wire.faulty(fault), AwsAdapter(sleep=waits.append).connect(target, write=True) as session:
        session.apply(creating(role), OPERATION)
    assert wire.changes() == ["CreateRole"] * 5
    assert len(waits) == 4
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits))


@pytest.mark.parametrize("code", ["MalformedPolicyDocument", "NoSuchEntity"])
def test_what_never_settles_ends(aws: Any, wire: Wire, code: str) -> None:
    """Waiting for propagation is bounded."""
    operation_hit = "CreateRole" if code == "MalformedPolicyDocument" else "PutRolePolicy"

    def fault(operation: str, request: Any, send: Any) -> Any:
        hit = operation == operation_hit
        return refusal(request, 400, code, "Invalid principal in policy: x") if hit else send(request)

    text = role_of("{inline: true, statements: [{actions: [s3:Get*], resources: ['*']}]}")
    role = resources(text + nhi_of(SERVICE, grants="[{role: r}]"))["iam-role/x"]
    with wire.faulty(fault), pytest.raises(ProviderError):
        aws.apply(creating(role), OPERATION)
    assert 2 < wire.operations.count(operation_hit) <= 20


def test_a_create_is_never_sent_twice_after_a_lost_reply(aws: Any, wire: Wire) -> None:
    """A lost create is lost: reading tells how it ended."""
    from botocore.exceptions import ConnectionClosedError

    def fault(operation: str, request: Any, send: Any) -> Any:
        answer = send(request)
        if operation == "CreateRole":
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    (role,) = resources(nhi_of(SERVICE)).values()
    with wire.faulty(fault), pytest.raises(ProviderError) as lost:
        aws.apply(creating(role), OPERATION)
    assert lost.value.fault is Fault.LOST
    assert wire.changes() == ["CreateRole"]
    live = aws.reread([role.address]).get(role.address)
    assert aws.resolve(creating(role), OPERATION, live) is Status.APPLIED


def test_new_keys_never_reach_a_log(
    aws: Any, iam: Any, caplog: pytest.LogCaptureFixture, adapter: AwsAdapter, target: Target
) -> None:
    """With everything at DEBUG the SDK still says nothing of requests and replies."""
    iam.create_user(UserName="u")
    with caplog.at_level(logging.DEBUG), adapter.connect(target, write=True) as session:
        calls: Calls = session.calls  # type: ignore[attr-defined]
        secret = calls.writer.create_access_key(UserName="u")["AccessKey"]["SecretAccessKey"]
    assert secret
    assert secret not in caplog.text


def test_no_credentials_is_a_matter_of_authentication(
    adapter: AwsAdapter, target: Target, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials nothing is sent and the exit code is that of authentication."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with adapter.connect(target, write=False) as session, pytest.raises(ProviderError) as refused:
        session.identity()
    assert (refused.value.fault, refused.value.exit) == (Fault.AUTH, 4)
    assert wire.operations == []


def test_a_policy_made_a_moment_ago_may_be_unknown_at_first(aws: Any, wire: Wire) -> None:
    """Attaching to a role that exists already waits for a fresh policy to spread."""
    (role,) = resources(nhi_of(SERVICE)).values()
    aws.apply(creating(role), OPERATION)
    live = aws.reread([role.address])[role.address]
    refused: list[str] = []

    def fault(operation: str, request: Any, send: Any) -> Any:
        if operation != "AttachRolePolicy" or len(refused) == 2:
            return send(request)
        refused.append(operation)
        return refusal(request, 404, "NoSuchEntity")

    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    after = replace(role, attributes={**role.attributes, "policies": (arn,)})
    with wire.faulty(fault):
        aws.apply(updating(live, after), OPERATION)
    assert aws.reread([role.address])[role.address].attributes["policies"] == (arn,)


def test_a_policy_made_anew_is_given_back_to_those_who_had_it(aws: Any) -> None:
    """Replacing a policy whose description changes leaves the roles that hold it with the new one."""
    declared = resources(role_of(f"{{description: one, {STATEMENTS}}}") + nhi_of(SERVICE, grants="[{role: r}]"))
    policy, role = declared["iam-policy/r"], declared["iam-role/x"]
    aws.apply(creating(policy), OPERATION)
    aws.apply(creating(role), OPERATION)
    live = aws.reread([policy.address])[policy.address]
    after = replace(policy, attributes={**policy.attributes, "fixed": {"description": "two"}})
    aws.apply(replace(updating(live, after), action=Action.REPLACE), OPERATION)
    made = aws.reread([policy.address, role.address])
    assert made[policy.address].native_id != live.native_id
    assert made[role.address].attributes["policies"] == role.attributes["policies"]
