"""An empty AWS account on a moto server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.providers.aws.adapter import AwsAdapter
from tests.providers.aws.wire import ACCOUNT, Wire, empty, moto_server, recorded


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """One moto server for all tests of the session."""
    with moto_server() as url:
        yield url


@pytest.fixture()
def endpoint(moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty account, reached through the environment as anywhere."""
    empty()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return moto_url


@pytest.fixture()
def target(tmp_path: Path) -> Target:
    """The account as a target."""
    return Target("aws-test", "aws", {"account": ACCOUNT, "region": "eu-central-1"}, tmp_path)


@pytest.fixture()
def wire(endpoint: str) -> Iterator[Wire]:
    """The requests that leave the process."""
    with recorded() as wire:
        yield wire


@pytest.fixture()
def adapter() -> AwsAdapter:
    """The adapter, waiting for nothing."""
    return AwsAdapter(sleep=lambda _: None)


@pytest.fixture()
def iam(endpoint: str) -> Any:
    """A plain IAM client: other people's hands."""
    import boto3

    return boto3.Session().client("iam", region_name="eu-central-1")
