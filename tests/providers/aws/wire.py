"""A moto server over HTTP and a hand on the wire in front of it: counts calls, loses replies, throttles, cuts pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
READING = ("Get", "List", "Simulate", "AssumeRole", "GenerateCredentialReport")

Send = Callable[[Any], Any]
Fault = Callable[[str, Any, Send], Any]


@dataclass(slots=True)
class Wire:
    """What left the process: every operation by name, in order. `fault` stands between a request and the server."""

    operations: list[str] = field(default_factory=list)
    fault: Fault | None = None

    def changes(self) -> list[str]:
        """Return the changing operations."""
        return [o for o in self.operations if not o.startswith(READING)]

    @contextmanager
    def faulty(self, fault: Fault) -> Iterator[None]:
        """Let `fault` answer for a while."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None


def operation_of(request: Any) -> str:
    """Return the operation of a query-protocol request."""
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    return parse_qs(body).get("Action", [""])[0]


def parameters_of(request: Any) -> dict[str, str]:
    """Return the parameters of a query-protocol request."""
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    return {key: values[0] for key, values in parse_qs(body).items()}


def refusal(request: Any, status: int, code: str, message: str = "refused") -> Any:
    """Return an error reply as IAM words it."""
    text = (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>req-{code}</RequestId></ErrorResponse>"
    )
    return reply(request, status, text)


def reply(request: Any, status: int, text: str) -> Any:
    """Return a reply with a body."""
    from botocore.awsrequest import AWSResponse

    class Raw:
        def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
            yield text.encode()

        def read(self, *_: Any, **__: Any) -> bytes:
            return text.encode()

    return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, Raw())


@contextmanager
def recorded() -> Iterator[Wire]:
    """Record and, where asked, disturb every request of botocore in this process."""
    from botocore.httpsession import URLLib3Session

    wire, real = Wire(), URLLib3Session.send

    def send(session: Any, request: Any) -> Any:
        operation = operation_of(request)
        wire.operations.append(operation)
        if wire.fault is not None:
            return wire.fault(operation, request, lambda r: real(session, r))
        return real(session, request)

    with patch.object(URLLib3Session, "send", send):
        yield wire


AWS_MANAGED = ("job-function/ViewOnlyAccess", "CloudWatchReadOnlyAccess", "ReadOnlyAccess")


@contextmanager
def moto_server() -> Iterator[str]:
    """Start a moto server on a free port of 127.0.0.1 and return its URL."""
    from moto.iam.models import ManagedPolicy
    from moto.server import ThreadedMotoServer

    # moto leaves name and id of policies out of GetAccountAuthorizationDetails; AWS does not.
    ManagedPolicy.policy_name = property(lambda self: self.name)  # type: ignore[attr-defined]
    ManagedPolicy.policy_id = property(lambda self: self.id)  # type: ignore[attr-defined]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def empty(account: str = ACCOUNT) -> None:
    """Empty the account behind the server, a few policies of AWS's own left: loading all of them takes a second."""
    from moto.iam.models import AWSManagedPolicy, iam_backends

    iam_backends.reset()
    backend = iam_backends[account]["aws"]
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}'
    for path in AWS_MANAGED:
        head, _, name = path.rpartition("/")
        data = {
            "Arn": f"arn:aws:iam::aws:policy/{path}",
            "Path": f"/{head}/" if head else "/",
            "CreateDate": "2015-02-06T18:40:11+00:00",
            "UpdateDate": "2015-02-06T18:40:11+00:00",
            "DefaultVersionId": "v1",
            "Document": document,
        }
        policy = AWSManagedPolicy.from_data(name, account, "us-east-1", data)
        backend.aws_managed_policies.append(policy)
        backend.managed_policies[policy.arn] = policy
