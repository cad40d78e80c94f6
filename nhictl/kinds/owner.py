"""Kind Owner: a team or person that answers for identities, roles and connections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta, date
from nhictl.model import Document


@dataclass(frozen=True, slots=True)
class Member:
    """One person of an owner. `ssh_keys` are public keys that sign approvals. `departed` is the first day gone."""

    name: str
    email: str = ""
    ssh_keys: tuple[str, ...] = ()
    approver: bool = False
    departed: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """One Owner. `backup` names the Owner that takes over; `departed` is the first day without this one."""

    meta: Meta
    type: str
    display_name: str
    contact: Mapping[str, str]
    backup: str
    members: tuple[Member, ...]
    departed: dt.date | None
    document: Document

    @property
    def ref(self) -> str:
        """`owner/name`."""
        return f"owner/{self.meta.name}"

    def gone(self, today: dt.date) -> bool:
        """True from the day of departure on."""
        return self.departed is not None and self.departed <= today

    def approvers(self, today: dt.date) -> tuple[Member, ...]:
        """Return the members who may approve on `today`; none once the owner is gone."""
        if self.gone(today):
            return ()
        return tuple(m for m in self.members if m.approver and (m.departed is None or m.departed > today))


def parse(document: Document) -> Owner:
    """Return the Owner of a validated document."""
    spec: Mapping[str, Any] = document.value["spec"]
    return Owner(
        Meta.of(document),
        spec["type"],
        spec.get("displayName", ""),
        spec.get("contact") or {},
        spec.get("backup", ""),
        tuple(_member(item) for item in spec.get("members") or ()),
        date(spec["departed"]) if "departed" in spec else None,
        document,
    )


def _member(data: Mapping[str, Any]) -> Member:
    return Member(
        data["name"],
        data.get("email", ""),
        tuple(data.get("sshKeys") or ()),
        data.get("approver", False),
        date(data["departed"]) if "departed" in data else None,
    )
