"""What things are called in one Vault: kinds, addresses, and our mark in every place that can carry one. Pure.

Rules enforced here:
- a mount path is written without its trailing slash, a policy name in lower case, as Vault stores them;
- an auth role is named `mount/role`, a database's configuration `mount/name`; the mount may have slashes itself;
- the mark stands in metadata (`nhictl_owner` ...) of entities and groups, in a header of comments in a policy, and
  in brackets behind the description of a mount. Auth roles and database configurations have no place for one.
Sources: Vault API documentation of identity, policies and mounts; metadata keys match `^[a-zA-Z0-9=/+_-]+$`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nhictl.model import Address, Mark

ENTITY = "entity"
LOGIN = "auth-role"
POLICY = "policy"
GROUP = "group"
EXTERNAL = "external-group"
MOUNT = "auth-mount"
ENGINE = "database-mount"
DATABASE = "database-config"
KINDS = (ENTITY, LOGIN, POLICY, GROUP, EXTERNAL, MOUNT, ENGINE, DATABASE)

METHODS = ("approle", "jwt", "kubernetes")
BUILT_IN_POLICIES = frozenset({"root", "default", "response-wrapping", "control-group", "default-ceiling"})

OWN_TYPES = frozenset({"token", "ns_token"})

# OpenBao adds the id of the namespace
NAMED_BY_VAULT = re.compile(r"entity_[0-9a-f]{8}(?:\.[0-9A-Za-z]+)?\Z")

_PREFIX = "nhictl_"
_KEYS = ("nhictl_owner", "nhictl_ref", "nhictl_operation")
_HEADER = re.compile(
    r"\A(?:#[^\n]*\n)*?# nhictl_owner = (\S+)\n# nhictl_ref = (\S+)\n(?:# nhictl_operation = (\S+)\n)?"
)
_TITLE = "# Written by nhictl; changes by hand are undone.\n"
_PASSWORDS = re.compile(r"\s*\[nhictl passwords (\S+=\S+(?: \S+=\S+)*)\]\Z")
_BRACKET = re.compile(r"\s*\[nhictl owner=(\S+) ref=(\S+?)(?: operation=(\S+?))?\]\Z")


def method_of(mount_type: str) -> str:
    """Return the method of an auth mount's type as nhictl knows it, empty for one it does not manage."""
    kind = "jwt" if mount_type == "oidc" else mount_type
    return kind if kind in METHODS else ""


def mount_path(text: str) -> str:
    """Return a mount path without slashes at its ends."""
    return text.strip("/")


def below(mount: str, name: str) -> str:
    """Return the name of an auth role or a database's configuration of a mount."""
    return f"{mount_path(mount)}/{name}"


def split(name: str) -> tuple[str, str]:
    """Return mount and name of what lies below a mount."""
    mount, _, last = name.rpartition("/")
    return mount, last


def of_metadata(metadata: Mapping[str, str]) -> Mark | None:
    """Return our mark in the metadata of an entity or group; None when there is none."""
    owner = metadata.get("nhictl_owner")
    if not owner:
        return None
    return Mark(owner, metadata.get("nhictl_ref", ""), metadata.get("nhictl_operation", ""))


def user_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that is not our mark."""
    return {k: v for k, v in metadata.items() if not k.startswith(_PREFIX)}


def in_metadata(mark: Mark | None) -> dict[str, str]:
    """Return the metadata that says `mark`; none for none."""
    if mark is None:
        return {}
    values = (mark.owner, mark.ref, mark.operation)
    return {key: value for key, value in zip(_KEYS, values, strict=True) if value}


def metadata_key(label: str) -> str:
    """Return the metadata key of a label: Vault allows no dots."""
    return label.replace(".", "_")


def of_policy(text: str) -> Mark | None:
    """Return our mark in the header of a policy; None when there is none."""
    found = _HEADER.match(text)
    return Mark(found[1], found[2], found[3] or "") if found else None


def policy_body(text: str) -> str:
    """Return a policy without our header."""
    found = _HEADER.match(text)
    return text[found.end() :] if found else text


def with_header(mark: Mark | None, body: str) -> str:
    """Return a policy with a header that says `mark`."""
    if mark is None:
        return body
    operation = f"# nhictl_operation = {mark.operation}\n" if mark.operation else ""
    return f"{_TITLE}# nhictl_owner = {mark.owner}\n# nhictl_ref = {mark.ref}\n{operation}{body}"


def of_description(text: str) -> tuple[str, Mark | None, Mapping[str, str]]:
    """Return the description of a mount without what nhictl keeps there, our mark, and the passwords' versions."""
    kept = _PASSWORDS.search(text)
    versions = dict(part.split("=", 1) for part in kept[1].split(" ")) if kept else {}
    text = text[: kept.start()] if kept else text
    found = _BRACKET.search(text)
    if not found:
        return text, None, versions
    return text[: found.start()], Mark(found[1], found[2], found[3] or ""), versions


def in_description(text: str, mark: Mark | None, versions: Mapping[str, str]) -> str:
    """Return a mount's description with our mark, and the versions of its databases' passwords, behind it."""
    parts = [text] if text else []
    if mark is not None:
        operation = f" operation={mark.operation}" if mark.operation else ""
        parts.append(f"[nhictl owner={mark.owner} ref={mark.ref}{operation}]")
    if versions:
        parts.append("[nhictl passwords " + " ".join(f"{k}={versions[k]}" for k in sorted(versions)) + "]")
    return " ".join(parts)


def policies_at(target: str, names: object) -> tuple[Address, ...]:
    """Return the addresses of policies by name, sorted."""
    return tuple(sorted(Address(target, POLICY, str(n)) for n in (names if isinstance(names, tuple) else ())))
