"""Run each conformance case that takes a `case` once per case of the provider."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise over the cases the provider's class names."""
    if metafunc.cls is not None and "case" in metafunc.fixturenames:
        metafunc.parametrize("case", metafunc.cls.cases, ids=lambda case: case.name)
