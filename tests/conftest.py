"""Make the tests' own modules importable (`tests.conformance`, `tests.servers`) and their assertions readable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
pytest.register_assert_rewrite("tests.conformance.suite", "tests.conformance.world")

from tests.servers.aws import aws_account, aws_env, moto_port, strict, strict_layer  # noqa: E402

__all__ = ["aws_account", "aws_env", "moto_port", "strict", "strict_layer"]
