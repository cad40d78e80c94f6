"""Every failure of a call is one fault, and says nothing that came from the service's free text."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as said

from nhictl.model import Fault
from nhictl.providers.aws.errors import not_answered, translate

URL = "http://127.0.0.1:9/"


def refused(code: str, status: int = 400, message: str = "secret-text") -> Exception:
    """Return the client error of a reply."""
    reply: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "req-1"},
    }
    return said.ClientError(reply, "CreateRole")


@pytest.mark.parametrize(
    ("error", "changing", "fault"),
    [
        (refused("AccessDenied", 403), True, Fault.DENIED),
        (refused("ExpiredToken", 403), True, Fault.AUTH),
        (refused("InvalidClientTokenId", 403), False, Fault.AUTH),
        (refused("NoSuchEntity", 404), True, Fault.NOT_FOUND),
        (refused("EntityAlreadyExists", 409), True, Fault.CONFLICT),
        (refused("DeleteConflict", 409), True, Fault.IN_USE),
        (refused("LimitExceeded", 409), True, Fault.LIMIT),
        (refused("MalformedPolicyDocument"), True, Fault.INVALID),
        (refused("Throttling"), True, Fault.THROTTLED),
        (refused("Whatever", 429), True, Fault.THROTTLED),
        (refused("ServiceFailure", 500), True, Fault.LOST),
        (refused("ServiceFailure", 500), False, Fault.UNREACHABLE),
        (refused("ServiceUnavailable", 503), True, Fault.LOST),
        (refused("Whatever", 400), True, Fault.INVALID),
        (said.NoCredentialsError(), False, Fault.AUTH),
        (said.ProfileNotFound(profile="x"), False, Fault.AUTH),
        (said.EndpointConnectionError(endpoint_url=URL), True, Fault.UNREACHABLE),
        (said.ConnectTimeoutError(endpoint_url=URL), True, Fault.UNREACHABLE),
        (said.ReadTimeoutError(endpoint_url=URL), True, Fault.LOST),
        (said.ReadTimeoutError(endpoint_url=URL), False, Fault.UNREACHABLE),
        (said.ConnectionClosedError(endpoint_url=URL), True, Fault.LOST),
        (said.ParamValidationError(report="x"), True, Fault.INVALID),
    ],
)
def test_each_error_is_one_fault(error: Exception, changing: bool, fault: Fault) -> None:
    """The table decides; a changing call without an answer is lost."""
    assert not_answered(error)
    found = translate(error, "iam:CreateRole", changing=changing)
    assert found.fault is fault
    assert "secret-text" not in f"{found} {found.hint} {found.code}"


def test_a_refused_assumption_is_a_matter_of_credentials() -> None:
    """AccessDenied on AssumeRole ends with the exit code of authentication."""
    assert translate(refused("AccessDenied", 403), "sts:AssumeRole", changing=False).fault is Fault.AUTH


def test_known_phrases_and_request_ids_go_on() -> None:
    """What helps and cannot carry a value is kept."""
    found = translate(
        refused("MalformedPolicyDocument", message="Invalid principal in policy: secret-text"), "iam:X", changing=True
    )
    assert found.message == "iam:X: MalformedPolicyDocument (Invalid principal in policy)"
    assert found.request_ids == ("req-1",)


def test_a_bug_of_ours_is_not_a_fault() -> None:
    """An error that is not the SDK's or the network's is not translated."""
    assert not not_answered(KeyError("x"))
