"""The calls of one change, and what they share whatever the kind.

Rules enforced here:
- once a step took effect, a later failure is `partial` and names the object; a lost reply stays `lost`;
- an object is changed only under the native id that was planned; another one behind its name is a conflict;
- of what is declared in parts (labels, configuration) only declared keys are set and dropped ones removed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.model import Action, Change, Fault, Operation, ProviderError
from nhictl.providers.keycloak import mapping, names
from nhictl.providers.keycloak.wire import Calls, Reply, segment


@dataclass(slots=True)
class Steps:
    """What one change has sent so far. `native_id` is the object it is about, once it is known."""

    calls: Calls
    native_id: str = ""
    done: int = 0

    def do(self, method: str, path: str, body: Any = None, *, absent_ok: bool = False) -> Reply:
        """Send one changing call. With `absent_ok` what does not exist counts as removed."""
        try:
            reply = self.calls.change(method, path, body)
        except ProviderError as error:
            if absent_ok and error.fault is Fault.NOT_FOUND:
                return Reply(404)
            raise self.partly(error) from error
        self.done += 1
        return reply

    def partly(self, error: ProviderError) -> ProviderError:
        """Return `error` as what it means for the whole change."""
        if error.fault is Fault.LOST or not self.done or error.fault is Fault.PARTIAL:
            return error
        return ProviderError(
            Fault.PARTIAL, error.message, code=error.code, native_id=self.native_id, request_ids=error.request_ids,
            hint=error.hint,
        )  # fmt: skip


def verified(
    change: Change, by_id: Callable[[], Mapping[str, Any] | None], by_name: Callable[[], Any | None]
) -> Mapping[str, Any]:
    """Return what is live under the planned native id. Raises ProviderError: CONFLICT, or NOT_FOUND when it is gone."""
    live = by_id() if change.native_id else None
    if live is not None:
        return live
    if not change.native_id or by_name() is not None:
        raise ProviderError(
            Fault.CONFLICT, f"{change.address} is another object than the planned one", code="OtherObject"
        )
    raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="404")


def wanted(change: Change) -> Mapping[str, Any]:
    """Return the attributes a change sets; a disable sets one."""
    if change.action is Action.DISABLE:
        return {"enabled": False}
    return change.after.attributes if change.after is not None else {}


def retagged(change: Change) -> bool:
    """True when a change writes the mark."""
    return change.action is Action.ADOPT or any(f.path in ("mark", "subject") for f in change.fields)


def mark_fields(change: Change, operation: Operation) -> dict[str, str]:
    """Return the mark a change writes, nothing when it leaves the mark alone."""
    return names.mark(operation, change.subject) if retagged(change) else {}


def labels(change: Change, attributes: Mapping[str, Any]) -> tuple[dict[str, str], set[str]]:
    """Return the label attributes to set and the names of those to remove."""
    declared = {names.LABEL + key: str(value) for key, value in (attributes.get("labels") or {}).items()}
    gone = {names.LABEL + key for key in dropped(change, "labels")}
    return declared, gone - set(declared)


def text_of(data: Mapping[str, Any], key: str, after: Mapping[str, Any]) -> Any:
    """Return the text at `key` to send: what is there where nothing else is wanted, for none and empty are the same."""
    now = data.get(key)
    text = after.get(key, now)
    return now if (text or "") == (now or "") else text


def dropped(change: Change, name: str) -> Collection[str]:
    """Return the keys of a partial mapping that a change removes."""
    gone: set[str] = set()
    for one in change.fields:
        if one.path == name and isinstance(one.before, Mapping):
            gone |= set(one.before) - set(one.after if isinstance(one.after, Mapping) else ())
        elif one.path.startswith(f"{name}.") and one.after is None:
            gone.add(one.path.removeprefix(f"{name}."))
    return gone


def set_mappers(steps: Steps, path: str, live: Collection[Mapping[str, Any]], declared: Mapping[str, Any]) -> None:
    """Make the protocol mappers below `path` as declared; secrets in the configuration of one that stays are kept."""
    have = {m["name"]: m for m in live}
    keep = {
        n for n, m in have.items() if n in names.BASELINE_MAPPERS and "usersessionmodel-note" in m["protocolMapper"]
    }
    for name in sorted(set(have) - set(declared) - keep):
        steps.do("DELETE", f"{path}/{segment(have[name]['id'])}", absent_ok=True)
    for name, mapper in declared.items():
        _set_mapper(steps, path, have.get(name), protocol_mapper(name, mapper))


def _set_mapper(steps: Steps, path: str, live: Mapping[str, Any] | None, body: dict[str, Any]) -> None:
    if live is not None and live["protocolMapper"] != body["protocolMapper"]:
        steps.do("DELETE", f"{path}/{segment(live['id'])}", absent_ok=True)
        live = None
    if live is None:
        steps.do("POST", path, body)
        return
    if mapping.mapper_config(live.get("config") or {}) == body["config"]:
        return
    kept = {k: v for k, v in (live.get("config") or {}).items() if mapping.secretive(k)}
    steps.do("PUT", f"{path}/{segment(live['id'])}", {**live, **body, "config": {**kept, **body["config"]}})


def protocol_mapper(name: str, mapper: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declared mapper as Keycloak represents it."""
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": mapper["type"],
        "config": dict(mapper["config"]),
    }
