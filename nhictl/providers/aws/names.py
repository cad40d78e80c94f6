"""What things are called in one AWS account: kinds, ARNs, reserved names and limits.

Rules enforced here:
- an ARN is computed from the target's account, never read from another place;
- the mark is three tags `nhictl:owner`, `nhictl:ref`, `nhictl:operation`;
  AWS's own tags (`aws:*`) and ours are not the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Mark

ROLE = "iam-role"
USER = "iam-user"
POLICY = "iam-policy"
OIDC = "oidc-provider"
SAML = "saml-provider"
GROUP = "iam-group"
KINDS = (ROLE, USER, POLICY, OIDC, SAML)

DISABLED_POLICY = "nhictl-disabled"
SERVICE_LINKED = ("/aws-service-role/", "/aws-reserved/")
DEFAULT_SESSION = 3600

_ARN_TYPES = {ROLE: "role", USER: "user", POLICY: "policy", OIDC: "oidc-provider", SAML: "saml-provider"}
_MAX_NAME = {ROLE: 64, USER: 64, POLICY: 128, SAML: 128}
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]+\Z")
_PATH = re.compile(r"/(?:[\x21-\x7e]{1,510}/)?\Z")
_TAG_PREFIXES = ("nhictl:", "aws:")
MARK_TAGS = ("nhictl:owner", "nhictl:ref", "nhictl:operation")


@dataclass(frozen=True, slots=True)
class Account:
    """The account behind a target: what names and ARNs are made of."""

    target: str
    id: str
    partition: str = "aws"

    @staticmethod
    def of(target: Target) -> Account:
        """Return the account of a target's settings. The partition follows from the region unless it is set."""
        settings = target.settings
        return Account(target.name, str(settings["account"]), partition_of(settings))

    def address(self, kind: str, name: str) -> Address:
        """Return the address of `name` in this target."""
        return Address(self.target, kind, name)

    def arn(self, kind: str, name: str, path: str = "/") -> str:
        """Return the ARN of an object of ours: path and name are joined as IAM does."""
        return f"arn:{self.partition}:iam::{self.id}:{_ARN_TYPES[kind]}{path}{name}"


def partition_of(settings: Mapping[str, Any]) -> str:
    """Return the AWS partition of a target's settings: `aws`, `aws-cn` or `aws-us-gov`."""
    if "partition" in settings:
        return str(settings["partition"])
    region = str(settings.get("region", ""))
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def bad_name(kind: str, name: str) -> str:
    """Return what is wrong with a physical name, empty when nothing is."""
    longest = _MAX_NAME.get(kind)
    if longest is None:
        return ""
    if len(name) > longest:
        return f"it has {len(name)} characters, AWS allows {longest}"
    return "" if _NAME.match(name) else "AWS allows letters, digits and _+=,.@- only"


def bad_path(path: str) -> str:
    """Return what is wrong with an IAM path, empty when nothing is."""
    if not _PATH.match(path) or "//" in path:
        return "a path begins and ends with / and has printable ASCII between"
    return "reserved for AWS" if path.startswith(SERVICE_LINKED) else ""


def service_linked(path: str) -> bool:
    """True for objects that only AWS may change."""
    return path.startswith(SERVICE_LINKED)


def builtin(path: str) -> str:
    """Return what of AWS's own an object with this path is; empty for what the account's people can change.

    Roles that AWS made once and people may change or delete (`OrganizationAccountAccessRole`, `/service-role/`) are
    not AWS's own: they give access that somebody must answer for.
    """
    if path.startswith("/aws-service-role/"):
        return "service-linked role"
    if path.startswith("/aws-reserved/sso.amazonaws.com/"):
        return "role of IAM Identity Center"
    return "reserved for AWS" if service_linked(path) else ""


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are neither ours nor AWS's own."""
    return {k: v for k, v in tags.items() if not k.startswith(_TAG_PREFIXES)}


def mark_of(tags: Mapping[str, str]) -> Mark | None:
    """Return our mark in a live object's tags; None when there is none."""
    owner = tags.get("nhictl:owner")
    if not owner:
        return None
    return Mark(owner, tags.get("nhictl:ref", ""), tags.get("nhictl:operation", ""))


def mark_tags(mark: Mark) -> dict[str, str]:
    """Return the tags that say `mark`."""
    tags = {"nhictl:owner": mark.owner, "nhictl:ref": mark.ref}
    return tags | ({"nhictl:operation": mark.operation} if mark.operation else {})


def wire_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API takes them, sorted by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def oidc_name(url: str) -> str:
    """Return an issuer URL as IAM names it: without scheme and trailing slash, host in lower case."""
    rest = url.removeprefix("https://").rstrip("/")
    host, slash, path = rest.partition("/")
    return host.lower() + slash + path


def joined(items: Iterable[str]) -> str:
    r"""Return several actions or resources as one text: commas between, those of an item as `\,`."""
    return ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in items)


def arn_name(arn: str) -> str:
    """Return the last part of an ARN's path: the name."""
    return arn.rsplit("/", 1)[-1]


def split_name(name: str, path: str) -> tuple[str, str]:
    """Return path and name of a native name: `service/payments-ci` is `payments-ci` in `/service/`."""
    head, slash, tail = name.rpartition("/")
    return (f"/{head.strip('/')}/", tail) if slash else (path, name)
