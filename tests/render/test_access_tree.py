"""Effective access as people read it: chains whole, conditions told, every verdict a word and a sign."""

import json
from pathlib import Path

import pytest

from nhictl.chains import At, Question, World, access, who_can
from nhictl.kinds.workspace import Target
from nhictl.model import Address, Resource
from nhictl.providers.aws import normalise
from nhictl.providers.aws.adapter import adapter
from nhictl.render import access_json, access_tree
from nhictl.render.access_tree import View
from nhictl.render.text import Style

AT = At(Target("aws-prod", "aws", {"account": "222222222222"}, Path()), adapter)
ACCOUNT = "arn:aws:iam::222222222222"
SSO = "sso.example.com/realms/shop"


def _document(*statements):
    return normalise.document({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _role(name, *policies, trust, boundary=""):
    attributes = {
        "path": "/", "policies": tuple(f"{ACCOUNT}:policy/{p}" for p in policies), "inline": {}, "boundary": boundary,
        "enabled": True, "trust": _document(trust),
    }  # fmt: skip
    held = tuple(Address("aws-prod", "iam-policy", p) for p in (*policies, *([boundary[-5:]] if boundary else [])))
    return Resource(Address("aws-prod", "iam-role", name), attributes, f"nhi/{name}", depends_on=held)


def _policy(name, *statements):
    attributes = {"path": "/", "document": _document(*statements)}
    return Resource(Address("aws-prod", "iam-policy", name), attributes, f"role/{name}")


FEDERATED = {
    "Effect": "Allow", "Principal": {"Federated": f"{ACCOUNT}:oidc-provider/{SSO}"},
    "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {f"{SSO}:sub": "payments-ci"}},
}  # fmt: skip
NAMED = {"Effect": "Allow", "Principal": {"AWS": f"{ACCOUNT}:role/payments-ci"}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": "x1"}}}  # fmt: skip
WORLD = World.of(
    [AT],
    [
        _role("payments-ci", "deployer", "unknown", trust=FEDERATED, boundary=f"{ACCOUNT}:policy/limit"),
        _role("auditor", "reader", trust=NAMED),
        _policy("deployer", _allow(["ecs:UpdateService", "s3:PutObject"], "arn:aws:s3:::releases/*"), _allow("iam:*")),
        _policy("reader", _allow("s3:Get*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
        _policy("limit", _allow(["s3:*", "ecs:*", "sts:*"]), {**_allow("s3:PutObject", "*locked*"), "Effect": "Deny"}),
        Resource(Address("aws-prod", "oidc-provider", SSO), {}, "connection/keycloak"),
    ],
)
VIEW = View("prod", unreadable={"vault-prod": "connection refused"})
ASKED = Question("s3:*", "arn:aws:s3:::releases/1")


@pytest.mark.parametrize("width", [60, 100])
def test_what_an_nhi_can_do_is_as_published(golden, width):
    """Golden output: own access, access by becoming another, who can become it, what is not known."""
    golden(f"access-{width}.txt", access_tree.access(access(WORLD, "nhi/payments-ci"), VIEW, Style(width=width)))


def test_who_can_is_as_published(golden):
    """Golden output: who can, who might, who could but for a deny."""
    golden("access-who-can.txt", access_tree.answer(who_can(WORLD, ASKED), VIEW, Style()))


def test_json_holds_the_same():
    """Verdicts, denies, chains with steps, in data."""
    data = json.loads(access_json.answer(who_can(WORLD, ASKED), VIEW))
    assert {h["name"]: h["verdict"] for h in data["holders"]} == {"nhi/auditor": "can", "nhi/payments-ci": "can"}
    told = json.loads(access_json.access(access(WORLD, "nhi/payments-ci"), VIEW))
    (other,) = told["others"]
    assert other["chain"][-1]["becomes"]["trust"]["condition"] == '{"StringEquals":{"sts:ExternalId":["x1"]}}'
    assert told["unreadable"] == {"vault-prod": "connection refused"}
