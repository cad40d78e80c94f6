"""Opening a session: credentials, clients, and the guards that hold for every one of them.

Rules enforced here:
- the SDK's own chain finds credentials; `assumeRole` is assumed with refreshing credentials named `nhictl`;
- no endpoint is written here: AWS_ENDPOINT_URL and its variants, profiles and regions are the SDK's to read;
- one SDK session and one client per service and account; without `write` no client can send a change.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nhictl import __version__
from nhictl.kinds.workspace import Target
from nhictl.model import ProviderError
from nhictl.providers.aws.calls import Calls, Sleep
from nhictl.providers.aws.errors import not_answered, translate
from nhictl.providers.aws.guard import quiet_logs, refuse_changes
from nhictl.providers.aws.names import Account
from nhictl.providers.aws.session import AwsSession

_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_SESSION_NAME = "nhictl"


@contextmanager
def session(target: Target, *, write: bool, sleep: Sleep) -> Iterator[AwsSession]:
    """Open a session to a target's account. Raises ProviderError when there are no usable credentials."""
    quiet_logs()
    try:
        opened = _open(target, write=write, sleep=sleep)
    except ProviderError:
        raise
    except Exception as error:
        if not not_answered(error):
            raise
        raise translate(error, "sts:credentials", changing=False) from None
    try:
        yield opened
    finally:
        for client in (*opened.calls.clients.values(), opened.calls.writer):
            if client is not None:
                client.close()


def _open(target: Target, *, write: bool, sleep: Sleep) -> AwsSession:
    import boto3
    from botocore.session import Session as CoreSession

    settings, account = target.settings, Account.of(target)
    core = CoreSession(profile=settings.get("profile"))
    if not write:
        core.register("before-call", refuse_changes)
    region = settings.get("region") or core.get_config_variable("region") or _REGIONS[account.partition]
    role = str(settings.get("assumeRole", ""))
    if not role:
        calls = _calls(boto3.Session(botocore_session=core), region, write=write, sleep=sleep)
        return AwsSession(account, calls, method=_method(core))
    source = boto3.Session(botocore_session=core)
    assumed = CoreSession()
    if not write:
        assumed.register("before-call", refuse_changes)
    assumed._credentials = _assumed(  # type: ignore[attr-defined]
        core, role, str(settings.get("externalId", "")), region
    )
    calls = _calls(boto3.Session(botocore_session=assumed), region, write=write, sleep=sleep)
    asking = Calls({"sts": source.client("sts", region_name=region, config=_reading())}, None, sleep)
    return AwsSession(account, calls, source=asking, assumed=role, method=f"assume-role from {_method(core)}")


def _method(core: Any) -> str:
    """Return where the credentials come from, in the SDK's words: env, shared-credentials-file, iam-role, sso ..."""
    return str(getattr(core.get_credentials(), "method", None) or "nowhere")


def _assumed(core: Any, role: str, external_id: str, region: str) -> Any:
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra = {"RoleSessionName": _SESSION_NAME} | ({"ExternalId": external_id} if external_id else {})

    def client(*args: Any, **kwargs: Any) -> Any:
        return core.create_client(*args, **{"region_name": region, **kwargs})

    fetcher = AssumeRoleCredentialFetcher(client, core.get_credentials(), role, extra_args=extra)
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def _calls(sdk: Any, region: str, *, write: bool, sleep: Sleep) -> Calls:
    reader = sdk.client("iam", region_name=region, config=_reading())
    sts = sdk.client("sts", region_name=region, config=_reading())
    writer = sdk.client("iam", region_name=region, config=_writing()) if write else None
    return Calls({"iam": reader, "sts": sts}, writer, sleep, random.SystemRandom().random)


def _reading() -> Any:
    return _config({"mode": "adaptive", "total_max_attempts": 10})


def _writing() -> Any:
    return _config({"mode": "standard", "total_max_attempts": 1})


def _config(retries: dict[str, Any]) -> Any:
    from botocore.config import Config

    return Config(retries=retries, connect_timeout=10, read_timeout=60, user_agent_extra=f"nhictl/{__version__}")  # type: ignore[arg-type]
