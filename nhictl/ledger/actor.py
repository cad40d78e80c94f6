"""Who acts and why: a person at a terminal, or a CI job with its commit and pull request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trigger:
    """What set a run off. Empty text where unknown."""

    kind: str = "manual"
    commit: str = ""
    pull_request: str = ""
    command: str = ""
    url: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the recorded form, without what is unknown."""
        known = {
            "kind": self.kind, "commit": self.commit, "pullRequest": self.pull_request,
            "command": self.command, "url": self.url,
        }  # fmt: skip
        return {key: value for key, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is local, github or gitlab; `host` is the machine's name; `tool` our version."""

    kind: str
    name: str
    host: str
    trigger: Trigger = field(default_factory=Trigger)
    tool: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the form every entry carries. The trigger is recorded once a run, with the lock."""
        known = {"kind": self.kind, "name": self.name, "host": self.host, "tool": self.tool}
        return {key: value for key, value in known.items() if value}


__all__ = ["Actor", "Mapping", "Trigger"]
