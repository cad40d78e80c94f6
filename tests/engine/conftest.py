"""Make the assertions of the judges readable."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.engine.crash", "tests.engine.trace")
