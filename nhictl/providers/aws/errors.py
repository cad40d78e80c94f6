"""One table from AWS's and botocore's errors to faults.

Rules enforced here:
- every failure of a call becomes a `ProviderError` here and nowhere else;
- a message is made of operation, error code and phrases from a fixed list; a reply's free text never goes on;
- a changing call that may have reached the service without an answer is `lost`; one that cannot have is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl.model import Fault, ProviderError

CODES: Mapping[str, Fault] = {
    "AccessDenied": Fault.DENIED,
    "AccessDeniedException": Fault.DENIED,
    "UnauthorizedOperation": Fault.DENIED,
    "ExpiredToken": Fault.AUTH,
    "ExpiredTokenException": Fault.AUTH,
    "RequestExpired": Fault.AUTH,
    "InvalidClientTokenId": Fault.AUTH,
    "UnrecognizedClientException": Fault.AUTH,
    "InvalidAccessKeyId": Fault.AUTH,
    "InvalidToken": Fault.AUTH,
    "InvalidIdentityToken": Fault.AUTH,
    "IDPRejectedClaim": Fault.AUTH,
    "SignatureDoesNotMatch": Fault.AUTH,
    "IncompleteSignature": Fault.AUTH,
    "MissingAuthenticationToken": Fault.AUTH,
    "MissingAuthenticationTokenException": Fault.AUTH,
    "AuthFailure": Fault.AUTH,
    "OptInRequired": Fault.AUTH,
    "RegionDisabledException": Fault.AUTH,
    "NoSuchEntity": Fault.NOT_FOUND,
    "NoSuchEntityException": Fault.NOT_FOUND,
    "EntityAlreadyExists": Fault.CONFLICT,
    "ConcurrentModification": Fault.CONFLICT,
    "EntityTemporarilyUnmodifiable": Fault.CONFLICT,
    "DeleteConflict": Fault.IN_USE,
    "LimitExceeded": Fault.LIMIT,
    "MalformedPolicyDocument": Fault.INVALID,
    "PolicyNotAttachable": Fault.INVALID,
    "UnmodifiableEntity": Fault.INVALID,
    "InvalidInput": Fault.INVALID,
    "ValidationError": Fault.INVALID,
    "InvalidParameterValue": Fault.INVALID,
    "Throttling": Fault.THROTTLED,
    "ThrottlingException": Fault.THROTTLED,
    "ThrottledException": Fault.THROTTLED,
    "RequestThrottled": Fault.THROTTLED,
    "RequestThrottledException": Fault.THROTTLED,
    "RequestLimitExceeded": Fault.THROTTLED,
    "TooManyRequestsException": Fault.THROTTLED,
    "SlowDown": Fault.THROTTLED,
    "PriorRequestNotComplete": Fault.THROTTLED,
}  # fmt: skip
"""AWS error codes whose call is known not to have taken effect."""

_BEFORE_SEND = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "SSLError"})
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError",
        "SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "PendingAuthorizationExpiredError",
        "ProfileNotFound", "RefreshWithMFAUnsupportedError", "MetadataRetrievalError", "NoAuthTokenError",
        "InvalidConfigError", "ConfigNotFound", "ConfigParseError", "LoginError", "LoginRefreshRequired",
        "LoginTokenLoadError", "InfiniteLoopConfigError", "UnknownCredentialError",
    }
)  # fmt: skip
_CONFIGURATION = frozenset({"ParamValidationError", "NoRegionError", "InvalidRegionError", "UnknownServiceError"})
_PHRASES = (
    "Invalid principal in policy", "Syntax errors in policy", "Has prohibited field", "Missing required field",
    "must contain resources", "must be in ARN format", "Actions/Conditions must be prefixed", "not attachable",
    "must remove roles from instance profile", "must detach all policies", "must delete policies first",
    "must delete access keys first", "must delete login profile first", "must deactivate MFA",
    "Cannot exceed quota", "Invalid SAML Metadata", "Thumbprint",
)  # fmt: skip
_HINTS = {
    Fault.AUTH: "check the credentials with `aws sts get-caller-identity`; `nhictl doctor` shows where they come from",
    Fault.DENIED: "`nhictl doctor` lists the permissions that are missing for plan and for apply",
    Fault.UNREACHABLE: "check the network, the proxy and AWS_ENDPOINT_URL",
}


def translate(error: Exception, operation: str, *, changing: bool) -> ProviderError:
    """Return `error` of calling `operation` (`iam:CreateRole`) as a fault. `changing` calls can be lost."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping) and "Error" in response:
        return _from_reply(response, operation, changing=changing)
    name = type(error).__name__
    fault = _fault_of(error, changing=changing)
    if fault is Fault.LOST:
        message = f"{operation}: no answer ({name}); nobody knows whether it took effect"
    else:
        message = f"{operation}: {name}"
    return ProviderError(fault, message, code=name, hint=_HINTS.get(fault, ""))


def not_answered(error: Exception) -> bool:
    """True for the errors of botocore and of the connection, which `translate` understands; false for bugs."""
    return type(error).__module__.split(".", 1)[0] in {"botocore", "boto3", "urllib3", "http", "ssl", "socket"} or (
        isinstance(error, OSError)
    )


def _fault_of(error: Exception, *, changing: bool) -> Fault:
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _NO_CREDENTIALS:
        return Fault.AUTH
    if names & _BEFORE_SEND:
        return Fault.UNREACHABLE
    if names & _CONFIGURATION:
        return Fault.INVALID
    return Fault.LOST if changing else Fault.UNREACHABLE


def _from_reply(response: Mapping[str, Any], operation: str, *, changing: bool) -> ProviderError:
    code = str(response["Error"].get("Code", ""))
    metadata = response.get("ResponseMetadata") or {}
    status = int(metadata.get("HTTPStatusCode") or 0)
    fault = _fault(code, status, changing=changing)
    if fault is Fault.DENIED and operation.startswith("sts:AssumeRole"):
        fault = Fault.AUTH
    said = str(response["Error"].get("Message", ""))
    phrase = next((p for p in _PHRASES if p.lower() in said.lower()), "")
    message = f"{operation}: {code}" + (f" ({phrase})" if phrase else "")
    request = metadata.get("RequestId")
    ids = (str(request),) if request else ()
    return ProviderError(fault, message, code=code, request_ids=ids, hint=_HINTS.get(fault, ""))


def _fault(code: str, status: int, *, changing: bool) -> Fault:
    if code in CODES:
        return CODES[code]
    if status == 429:
        return Fault.THROTTLED
    if status >= 500:
        return Fault.LOST if changing else Fault.UNREACHABLE
    if status == 403:
        return Fault.DENIED
    return Fault.NOT_FOUND if status == 404 else Fault.INVALID
