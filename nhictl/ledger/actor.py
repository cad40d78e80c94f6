"""Who acts and why: a person at a terminal, or a CI job with its commit and pull request.

Rules enforced here:
- detection is pure: the environment, the user and the host are passed in;
- nothing from the environment is trusted: every value is cut to a length and its control, format and surrogate
  characters are escaped; a URL loses its credentials, query and fragment.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LIMIT = 200
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PULL = re.compile(r"refs/pull/(\d{1,12})/")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What set a run off: `kind` is manual or the CI's event; empty text where unknown."""

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
    """Who acts: `kind` is local, github or gitlab; `host` is the machine's name; `tool` our name and version."""

    kind: str
    name: str
    host: str
    trigger: Trigger = field(default_factory=Trigger)
    tool: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the form every entry carries. The trigger is recorded once a run, with the lock."""
        known = {"kind": self.kind, "name": self.name, "host": self.host, "tool": self.tool}
        return {key: value for key, value in known.items() if value}


def detect(
    environ: Mapping[str, str],
    *,
    user: str,
    host: str,
    command: str = "",
    commit: str = "",
    tool: str = "",
    event: Mapping[str, Any] | None = None,
) -> Actor:
    """Return who acts, from the variables GitHub Actions and GitLab CI document, else the local user.

    `command` is what was typed, `commit` the checked-out one (used where the CI names none), `event` the parsed
    webhook payload of a GitHub job when there is one.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        name, trigger = _github(environ, event or {})
        kind = "github"
    elif environ.get("GITLAB_CI") == "true":
        name, trigger = _gitlab(environ)
        kind = "gitlab"
    else:
        name, trigger, kind = user, {"kind": "manual"}, "local"
    known = {"commit": commit, **{key: value for key, value in trigger.items() if value}}
    url = web_url(known.pop("url", ""))
    cleaned = {key: clean(value) for key, value in known.items()}
    return Actor(
        kind, clean(name) or "unknown", clean(host) or "unknown", tool=clean(tool),
        trigger=Trigger(**cleaned, command=clean(command), url=url),
    )  # fmt: skip


def _github(environ: Mapping[str, str], event: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    reference = _PULL.match(environ.get("GITHUB_REF", ""))
    opened = event.get("pull_request")
    number = opened.get("number") if isinstance(opened, Mapping) else None
    server, repository = environ.get("GITHUB_SERVER_URL", "https://github.com"), environ.get("GITHUB_REPOSITORY")
    run = environ.get("GITHUB_RUN_ID")
    return environ.get("GITHUB_ACTOR", ""), {
        "kind": environ.get("GITHUB_EVENT_NAME") or "github",
        "commit": environ.get("GITHUB_SHA", ""),
        "pull_request": reference[1] if reference else str(number) if isinstance(number, int) else "",
        "url": f"{server}/{repository}/actions/runs/{run}" if repository and run else "",
    }


def _gitlab(environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    project, pipeline = environ.get("CI_PROJECT_PATH"), environ.get("CI_PIPELINE_ID")
    server = environ.get("CI_SERVER_URL", "https://gitlab.com")
    return environ.get("GITLAB_USER_LOGIN", ""), {
        "kind": environ.get("CI_PIPELINE_SOURCE") or "gitlab",
        "commit": environ.get("CI_COMMIT_SHA", ""),
        "pull_request": environ.get("CI_MERGE_REQUEST_IID", ""),
        "url": f"{server}/{project}/-/pipelines/{pipeline}" if project and pipeline else "",
    }


def clean(text: str, limit: int = _LIMIT) -> str:
    """Return `text` with every control, format, surrogate and separator character escaped, at most `limit` long."""
    shown = "".join(_visible(character) for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return f"\\u{ord(character):04x}"
    return character


def web_url(text: str) -> str:
    """Return an http or https URL without credentials, query and fragment; empty when it is none."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return clean(f"{parts.scheme}://{parts.hostname}{port}{parts.path}", 500)
