"""What this principal may do, as IAM's own simulator says.

Rules enforced here:
- only what the simulator calls denied is missing; what it cannot decide, or may not be asked, is unknown;
- actions on single objects are asked for objects that are declared, one for each kind and path, never for `*`:
  a principal limited to a path would seem to lack everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nhictl.model import ProviderError, Resource
from nhictl.providers.aws.names import KINDS, OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.aws.needs import WHOLE_ACCOUNT, needs
from nhictl.providers.base import Checkup

if TYPE_CHECKING:
    from nhictl.providers.aws.calls import Calls
    from nhictl.providers.aws.session import AwsSession

# The first that an action's name contains says what the action is about; everything else is about a user.
_ABOUT = (
    ("OpenIDConnectProvider", OIDC), ("SAMLProvider", SAML), ("FromGroup", "group"), ("Role", ROLE),
    ("User", USER), ("Policy", POLICY),
)  # fmt: skip
_GRANT_IT = "allow iam:SimulatePrincipalPolicy and iam:GetRole to have it checked"


def checkup(session: AwsSession, declared: Iterable[Resource]) -> Checkup:
    """Return who the session is and what it lacks. Raises ProviderError when it is nobody."""
    caller = session.identity().principal
    said = f"{session.method}: {caller}"
    resources = list(declared)
    try:
        source = _simulated_as(session, caller)
        if not source:
            return Checkup(said, unknown="the simulator takes roles and users only")
        plan, apply = needs({r.address.kind for r in resources})
        places = _places(session.account, resources)
        doubts: list[str] = []
        lacking = [_lacking(session.calls, source, _questions(some, places), doubts) for some in (plan, apply)]
    except ProviderError as error:
        return Checkup(said, unknown=f"{error.message}; {_GRANT_IT}")
    doubt = f"depends on the request: {', '.join(sorted(set(doubts)))}" if doubts else ""
    return Checkup(said, lacking[0], lacking[1], doubt)


def _simulated_as(session: AwsSession, caller: str) -> str:
    """Return the ARN to simulate: a user's own, for a session the role's with its path; empty for anyone else."""
    kind, _, rest = caller.split(":", 5)[-1].partition("/")
    if kind == "user":
        return caller
    if kind != "assumed-role":
        return ""
    if session.assumed:
        return session.assumed
    return str(session.calls.read("GetRole", RoleName=rest.split("/", 1)[0])["Role"]["Arn"])


def _places(account: Account, resources: Iterable[Resource]) -> Mapping[str, tuple[str, ...]]:
    """Return the ARNs to ask about, by kind: one declared object for each path, any object where none is declared."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for resource in resources:
        path = str(resource.attributes.get("path", "/"))
        found[resource.address.kind].setdefault(path, account.arn(resource.address.kind, resource.address.name, path))
    known = {kind: tuple(arns.values()) or (account.arn(kind, "*"),) for kind, arns in found.items()}
    return known | {"group": (f"arn:{account.partition}:iam::{account.id}:group/*",)}


def _questions(actions: Iterable[str], places: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return the actions to ask about by the ARN they are asked for."""
    found: dict[str, list[str]] = {}
    for action in actions:
        kind = next((kind for part, kind in _ABOUT if part in action), USER)
        for arn in ("*",) if action in WHOLE_ACCOUNT else places[kind]:
            found.setdefault(arn, []).append(action)
    return found


def _lacking(calls: Calls, source: str, questions: Mapping[str, list[str]], doubts: list[str]) -> tuple[str, ...]:
    """Return what is denied; put what the simulator could not decide into `doubts`."""
    denied: list[str] = []
    for arn, actions in questions.items():
        for result in _results(calls, source, actions, arn):
            if result["EvalDecision"] == "allowed":
                continue
            where = "" if arn == "*" else f" on {arn}"
            (doubts if result.get("MissingContextValues") else denied).append(f"{result['EvalActionName']}{where}")
    return tuple(sorted(denied))


def _results(calls: Calls, source: str, actions: list[str], arn: str) -> Iterator[dict[str, Any]]:
    for page in calls.pages("SimulatePrincipalPolicy", PolicySourceArn=source, ActionNames=actions, ResourceArns=[arn]):
        yield from page["EvaluationResults"]
