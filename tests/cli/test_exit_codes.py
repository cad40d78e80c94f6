"""Every exit code of the documentation, on a real run each. 3 is for policies and approvals, which come later."""

from __future__ import annotations

import pytest

from nhictl.cli import context
from nhictl.model import Exit, Fault
from tests.cli.conftest import Line, configure
from tests.cli.meddling import Meddling, failing
from tests.support import Shop, nhi, role


@pytest.fixture()
def half_open(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """Put a second target beside the directory, whose door is closed."""

    def use(fault: Fault) -> None:
        shop.declare(
            role("reader"), nhi("api", "reader", targets=["directory"]), nhi("job", "reader", targets=["other"])
        )
        targets = {name: {"provider": "local", "path": f"{name}.db"} for name in ("directory", "other")}
        configure(shop.root, environments={"test": {"targets": targets}})
        monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Meddling(closed=fault, only="other")})

    return use


@pytest.fixture()
def provider(monkeypatch: pytest.MonkeyPatch):
    """Put an adapter in the local one's place."""

    def use(adapter: Meddling) -> None:
        monkeypatch.setattr(context, "adapters", lambda _environment: {"local": adapter})

    return use


def test_the_codes_are_those_documented():
    """They are an interface: none is renumbered."""
    assert {code.name: int(code) for code in Exit} == {
        "DONE": 0, "ERROR": 1, "CHANGES": 2, "DENIED": 3, "AUTH": 4, "SAFETY": 5, "STALE": 6, "PARTIAL": 7,
        "USAGE": 64, "INVALID": 65, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.mark.parametrize(
    "words", ["validate", "plan", "drift", "apply --yes", "fmt --check manifests", "version", "schema NHI"]
)
def test_0_done(shop: Shop, line: Line, words: str):
    """Changes in a plan are no failure unless asked for."""
    line("fmt", "-q")
    assert line(*words.split()).code == 0


def test_0_an_apply_with_nothing_to_do(shop: Shop, line: Line):
    """And it writes nothing."""
    shop.converge()
    before = shop.tree()
    said = line("apply", "--yes")
    assert (said.code, shop.tree()) == (0, before)
    assert "No changes" in said.out


@pytest.mark.parametrize("words", ["plan", "drift", "apply --yes", "adopt nhi/api --yes"])
@pytest.mark.parametrize(("fault", "code"), [(Fault.UNREACHABLE, 1), (Fault.DENIED, 1), (Fault.AUTH, 4)])
def test_1_error_a_target_that_cannot_be_read(shop: Shop, line: Line, provider, words: str, fault: Fault, code: int):
    """Unknown is not empty, and not stale: another plan would not help."""
    provider(Meddling(closed=fault))
    said = line(*words.split())
    assert said.code == code
    assert "the door is closed" in said.all
    assert shop.entries() == []


@pytest.mark.parametrize(("fault", "code"), [(Fault.UNREACHABLE, 1), (Fault.AUTH, 4)])
def test_7_a_target_that_cannot_be_read_beside_one_that_was_applied(
    shop: Shop, line: Line, half_open, fault: Fault, code: int
):
    """The first apply does what it can; the next has nothing left that it could do."""
    half_open(fault)
    assert [line("plan").code, line("drift").code] == [code, code]
    assert line("apply", "--yes").code == 7
    assert shop.names("identities") == ["api"]
    assert line("apply", "--yes").code == code


def test_1_error_every_change_failed(shop: Shop, line: Line, provider):
    """Nothing was applied: the whole apply failed."""
    provider(failing("reader", "writer", "api", "job"))
    said = line("apply", "--yes")
    assert said.code == 1
    assert "the provider says no" in said.out


def test_1_error_an_altered_ledger(shop: Shop, line: Line):
    """Nothing is changed anywhere then."""
    shop.converge()
    log = shop.root / ".nhictl/ledger/test/log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"create"', b'"delete"', 1))
    shop.declare(role("reader"))
    before = shop.rows()
    assert line("audit", "verify").code == 1
    assert line("apply", "--yes").code == 1
    assert shop.rows() == before


def test_2_changes_only_where_asked_for(shop: Shop, line: Line):
    """`plan --detailed-exitcode`, `fmt --check`, and drift."""
    assert line("plan", "--detailed-exitcode").code == 2
    assert line("fmt", "--check").code == 2
    shop.converge()
    assert line("plan", "--detailed-exitcode").code == 0
    assert line("drift").code == 0
    shop.sql("UPDATE roles SET description = 'by hand'")
    assert line("drift").code == 2


def test_2_pending_changes_are_no_drift(shop: Shop, line: Line):
    """A change in the manifests is not a change in the world."""
    shop.converge()
    shop.declare(role("reader", "read", "list"), role("writer", "write"), nhi("api", "reader"), nhi("job", "writer"))
    assert line("plan", "--detailed-exitcode").code == 2
    assert line("drift").code == 0


@pytest.mark.parametrize("words", ["plan", "apply --yes", "drift", "doctor"])
def test_4_authentication(shop: Shop, line: Line, provider, words: str):
    """Whatever asks a target that does not know us."""
    provider(Meddling(closed=Fault.AUTH))
    said = line(*words.split())
    assert said.code == 4
    assert "the door is closed" in said.all


def test_5_a_safety_limit(shop: Shop, line: Line):
    """Plan and apply refuse; an override of another plan does not help; one of this plan does."""
    shop.converge()
    configure(shop.root, limits={"deleteMax": 1})
    shop.settings = {"deleteMax": 1}
    shop.declare(nhi("api"))
    assert line("plan").code == 5
    before = shop.rows()
    refused = line("apply", "--yes", "--override-safety", "sha256:" + "0" * 64)
    assert (refused.code, shop.rows()) == (5, before)
    digest = shop.plan().digest
    assert digest in refused.err
    assert line("apply", "--yes", "--override-safety", digest).code == 0
    assert shop.rows() != before


def test_6_a_stale_plan(shop: Shop, line: Line):
    """Somebody changed what the plan was made for."""
    assert line("plan", "--out", "plan.json").code == 0
    shop.converge()
    shop.sql("UPDATE roles SET description = 'by hand' WHERE name = 'reader'")
    assert line("apply", "plan.json").code == 6


def test_6_a_conflict(shop: Shop, line: Line):
    """Somebody made the object anew: it is not the one that is managed."""
    shop.converge()
    shop.sql("DELETE FROM grants")
    shop.sql("UPDATE identities SET id = 'remade' WHERE name = 'api'")
    said = line("plan")
    assert said.code == 6
    assert "directory/identity/api" in said.out
    assert line("apply", "--yes").code in (6, 7)
    assert line("apply", "--yes").code == 6


def test_6_a_lock_that_another_run_holds(shop: Shop, line: Line):
    """Who holds it is said; nothing is changed."""
    with shop.opened(write=True) as (_, _, ledger), ledger.lock("the other command"):
        said = line("apply", "--yes")
        held = line("ledger", "lock", "list")
    assert said.code == 6
    assert "the other command" in held.out
    assert not shop.rows().get("identities")


def test_7_partly_applied(shop: Shop, line: Line, provider):
    """One fails, its dependents are skipped, the rest goes on; each by name."""
    provider(failing("api"))
    said = line("apply", "--yes")
    assert said.code == 7
    assert "Failed:\n    + directory/identity/api" in said.out
    assert "Skipped:\n    + directory/grant/api:reader" in said.out
    assert "Apply: 4 applied, 1 failed, 1 skipped, 0 unknown" in said.out
    assert shop.names("identities") == ["job"]


@pytest.mark.parametrize(
    "words",
    [
        "plan --nope", "plan -e prod", "plan nothere.yaml", "plan -C nothere", "apply nothere.json", "apply",
        "history", "explain", "plan --target directory/role/nothere", "audit log --since yesterday",
        "plan --report pdf=x", "plan -l broken", "ledger lock break",
        "audit verify --anchor x", "apply -o xml", "validate nothere.yaml",
    ],
)  # fmt: skip
def test_64_usage(shop: Shop, line: Line, words: str):
    """What was typed makes no sense here; `apply` has nobody to ask."""
    shop.converge()
    shop.declare(role("reader"), role("writer", "write"), role("new"), nhi("api", "reader"), nhi("job", "writer"))
    said = line(*words.split())
    assert said.code == 64, said
    assert "error: " in said.err


@pytest.mark.parametrize("words", ["validate", "plan", "apply --yes", "drift", "fmt --check"])
def test_65_invalid_manifests(shop: Shop, line: Line, words: str):
    """Nothing is done on manifests that do not say what they mean."""
    (shop.root / "manifests" / "bad.yaml").write_text("a: 1\na: 2\n")
    said = line(*words.split())
    assert said.code == 65
    assert "bad.yaml:2" in said.all
    assert not (shop.root / "directory.db").exists()
