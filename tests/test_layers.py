"""The layers: who may import whom, who may have effects, who may print. Read from the source, nothing is run.

```
cli -> everything            the only wiring
engine -> plan, ledger, providers.base, never a concrete provider
providers/x -> providers.base, kinds, model
render -> model              at run time; protocols for the rest
model -> standard library
```
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nhictl"
PURE = (
    "model", "kinds", "codes", "codec", "compile", "diff", "order", "access", "plan", "safety", "select", "ownership",
    "holding", "ledger.chain", "ledger.fold", "ledger.scan", "ledger.checkpoint", "engine.approved", "engine.record",
    "render.safe", "render.plan_text", "render.plan_markdown", "render.plan_json", "render.values",
    "providers.base", "providers.local.convert", "providers.local.access", "providers.local.adapter",
    "providers.aws.convert", "providers.aws.desired", "providers.aws.normalise", "providers.aws.access",
    "providers.aws.trust", "providers.aws.names", "providers.aws.needs",
    *(
        f"providers.{name}.{module}"
        for name in ("vault", "keycloak", "postgres")
        for module in ("adapter", "convert", "desired", "access", "names", "drafting")
    ),
    "inventory", "chains", "graph", "importing", "leaving",
)  # fmt: skip
PROVIDERS = ("local", "aws", "vault", "keycloak", "postgres")
EFFECTS = frozenset(
    {
        "os", "subprocess", "socket", "time", "random", "secrets", "shutil", "tempfile", "sqlite3", "urllib.request",
        "http", "ssl", "signal", "threading", "multiprocessing", "boto3", "botocore", "getpass", "logging",
        "hvac", "keycloak", "psycopg", "requests", "httpx",
    }
)  # fmt: skip
# The adapter of AWS hands `time.sleep` on to its sessions and never calls it.
MAY = {("providers.aws.adapter", "time")}


@dataclass(frozen=True)
class Import:
    """One import: by whom, of what, and whether it happens when the importing module is loaded."""

    module: str
    of: str
    at_load: bool
    line: int


def name_of(path: Path) -> str:
    """The name of a module below `nhictl`, empty for the package itself."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(name: str) -> Iterator[Import]:
    """Every import of a module that happens at run time: what stands under TYPE_CHECKING does not."""
    stack: list[tuple[ast.AST, bool]] = [(MODULES[name], True)]
    while stack:
        node, at_load = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack += [(child, at_load) for child in node.orelse]
            continue
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, at_load, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"{name}:{node.lineno} imports by a relative path"
            for alias in node.names:
                below = f"{base}.{alias.name}"
                inside = below.removeprefix("nhictl.") if base.startswith("nhictl") else ""
                yield Import(name, below if inside in MODULES else base, at_load, node.lineno)
        inner = at_load and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        stack += [(child, inner) for child in ast.iter_child_nodes(node)]


EVERY = [found for name in MODULES for found in imports(name)]


def within(module: str, *layers: str) -> bool:
    """True when a module is one of `layers` or below one."""
    return any(module == layer or module.startswith(f"{layer}.") for layer in layers)


def own(found: Import) -> str:
    """The imported module below `nhictl`; empty for anything else."""
    return found.of.removeprefix("nhictl.") if within(found.of, "nhictl") else ""


def broken(of: str, never: tuple[str, ...], unless: tuple[str, ...] = ()) -> list[Import]:
    """The imports by the layer `of` from the layers `never`, except from `unless`."""
    return [
        found for found in EVERY
        if within(found.module, of) and own(found) and within(own(found), *never) and not within(own(found), *unless)
    ]  # fmt: skip


def test_the_model_is_standard_library_only():
    """Every layer speaks its values; it knows none of them."""
    wrong = [
        found for found in EVERY
        if within(found.module, "model") and not within(own(found), "model")
        and found.of.split(".")[0] not in sys.stdlib_module_names
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize(
    ("layer", "never", "unless"),
    [
        ("engine", ("providers", "cli", "render"), ("providers.base",)),
        ("providers", ("engine", "cli", "render", "ledger", "plan", "diff", "manifest"), ()),
        *((f"providers.{one}", tuple(f"providers.{x}" for x in PROVIDERS if x != one), ()) for one in PROVIDERS),
        ("render", ("engine", "cli", "providers", "ledger", "manifest"), ()),
        ("manifest", ("engine", "cli", "render", "ledger", "plan"), ()),
        ("ledger", ("engine", "cli", "render", "providers", "manifest", "plan"), ()),
        ("kinds", ("engine", "cli", "render", "ledger", "providers", "plan"), ()),
        ("plan", ("engine", "cli", "render", "manifest", "providers"), ("providers.base",)),
        ("diff", ("engine", "cli", "render", "manifest", "providers", "ledger"), ("providers.base",)),
        ("compile", ("engine", "cli", "render", "ledger", "providers"), ()),
        ("codes", ("engine", "cli", "render", "ledger", "providers", "plan"), ()),
    ],
)  # fmt: skip
def test_a_layer_knows_what_is_below_it_only(layer: str, never: tuple[str, ...], unless: tuple[str, ...]):
    """Wiring is done in `cli`."""
    assert broken(layer, never, unless) == []


def test_only_the_process_knows_the_command_line():
    """Everything else can be used without it."""
    users = {found.module for found in EVERY if within(own(found), "cli") and not within(found.module, "cli")}
    assert users == {"__main__"}


@pytest.mark.parametrize("name", [m for m in MODULES if m and within(m, *PURE)])
def test_pure_modules_import_nothing_with_effects(name: str):
    """No clock, no randomness, no environment, no files, no network; not inside of functions either."""
    wrong = [
        found for found in imports(name)
        if within(found.of, *EFFECTS) and (name, found.of) not in MAY
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("name", [m for m in MODULES if m and within(m, *PURE)])
def test_pure_modules_neither_read_the_clock_nor_open_files(name: str):
    """Times and texts are passed in."""
    calls = {ast.unparse(node.func) for node in ast.walk(MODULES[name]) if isinstance(node, ast.Call)}
    wrong = ("now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes", "getenv")
    assert [call for call in calls if call == "open" or call.rsplit(".", 1)[-1] in wrong] == []


def test_only_render_and_the_command_line_print():
    """stdout is the result, stderr the talk; nobody else writes to either."""
    found = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "print")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"))
    }
    assert {name for name in found if not within(name, "render", "cli", "__main__")} == set()


@pytest.mark.parametrize(
    "package",
    [
        "boto3",
        "botocore",
        "hvac",
        "keycloak",
        "psycopg",
        "requests",
        "rich",
        "deepdiff",
        "jsonschema",
        "cryptography",
        "yaml",
    ],
)
def test_heavy_packages_are_imported_inside_functions(package: str):
    """Loading a module costs its own text, except for the reader's YAML and its schema checker."""
    wrong = {found.module for found in EVERY if found.at_load and within(found.of, package)}
    assert {name for name in wrong if not (package == "yaml" and within(name, "manifest"))} == set()
