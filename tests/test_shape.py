"""The shape of the code: sizes, annotations, and codes that `explain` knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from nhictl.codes import CODES

PACKAGE = Path(__file__).parents[1] / "nhictl"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 60
CODE = re.compile(r"\b[EW][0-9]{3}\b")


def _functions(module: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modules_are_short_and_say_what_they_are_for(module):
    """A file stays under 300 lines, a function under 60, and a module opens with its purpose."""
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert [f.name for f in _functions(module) if f.end_lineno - f.lineno >= LONGEST_FUNCTION] == []


def test_every_code_in_the_package_is_explained():
    """A code that a message can carry is in the registry."""
    used = {code for module in MODULES if "codes" not in module.parts for code in CODE.findall(module.read_text())}
    assert used - set(CODES) == set()


def test_every_registered_code_is_used():
    """The registry explains nothing that no message carries."""
    used = {code for module in MODULES if "codes" not in module.parts for code in CODE.findall(module.read_text())}
    assert set(CODES) - used == set()


def test_a_fixture_of_the_servers_is_defined_once():
    """Imported a second time it would be another fixture: a second server, a second browser in one process."""
    tests = PACKAGE.parent / "tests"
    conftest = ast.parse((tests / "conftest.py").read_text(encoding="utf-8"))
    exported = next(node.value for node in conftest.body if isinstance(node, ast.Assign))
    fixtures = set(ast.literal_eval(exported))
    assert "browser" in fixtures
    twice = [
        f"{module.relative_to(tests)}: {alias.name}"
        for module in tests.rglob("*.py")
        if module != tests / "conftest.py"
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.servers.")
        for alias in node.names
        if alias.name in fixtures
    ]
    assert twice == []
