"""The plan people read: complete, short, and the same with and without colour."""

import re
import time
from dataclasses import replace

import pytest

from nhictl.model import (
    AccessDelta,
    Action,
    Address,
    Change,
    Direction,
    FieldChange,
    Finding,
    Permission,
    Plan,
    Resource,
)
from nhictl.render import plan_text
from nhictl.render.summary import summary_parts
from nhictl.render.text import Style

EVIL = "x\x1b]52;c;aGk=\x07\u202e\n-y`|<b>\u200b[/red]"


def _render(plan: Plan, **style: object) -> str:
    return plan_text.render(
        plan, Style(**style), apply_command="nhictl apply -e prod", override_command="nhictl apply --override sha256:1"
    )


@pytest.mark.parametrize("width", [60, 100, 160])
def test_ten_changes_are_as_published(ten: Plan, width: int, golden):
    """Golden output at three widths."""
    golden(f"plan-{width}.txt", _render(ten, width=width))


def test_everything_that_stands_in_the_way_is_as_published(troubled: Plan, golden):
    """Golden output with findings, safety violations, unreadable targets and a selection; all of it with -v."""
    golden("plan-troubled.txt", _render(troubled, width=100))
    golden("plan-verbose.txt", _render(troubled, width=100, verbose=1))
    golden("plan-color.txt", _render(troubled, width=100, color=True))


def test_ten_changes_fit_on_one_screen(ten: Plan):
    """At most 40 lines at 100 columns, none longer."""
    lines = _render(ten, width=100).split("\n")
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100


def test_narrow_terminals_are_respected(troubled: Plan):
    """At 60 columns only the digest and the commands to copy are longer."""
    long = [line for line in _render(troubled, width=60).split("\n") if len(line) > 60]
    assert all(line.startswith("Digest:") or "nhictl apply" in line for line in long)


def test_colour_only_adds(troubled: Plan):
    """Without the escapes the coloured plan is the plain one."""
    assert re.sub(r"\x1b\[[0-9;]*m", "", _render(troubled, color=True)) == _render(troubled)


def test_without_utf_8_everything_is_ascii(troubled: Plan):
    """Signs outside ASCII have twins."""
    assert _render(troubled, unicode=False).isascii()


def test_the_summary_names_every_action_and_the_access(ten: Plan):
    """The published form of the summary."""
    assert summary_parts(ten) == [
        "Plan: 3 to create, 2 to update, 1 to replace, 1 to disable, 1 to delete, 1 to adopt, 1 to forget",
        "1 wider, 2 narrower, 1 changed",
        "4 unmanaged left alone",
    ]


def test_no_changes_says_so(ten: Plan):
    """An empty plan names how much is as declared, and no next command."""
    text = _render(replace(ten, changes=(), access=()))
    assert "No changes: 212 resources as declared" in text
    assert "nhictl apply" not in text


def test_a_refused_plan_names_the_override_and_no_next_step(troubled: Plan):
    """With violated limits the exact command is shown; where nothing lifts them, that is said."""
    assert "nhictl apply --override sha256:1" in _render(troubled)
    assert "Next:" not in _render(troubled)
    assert "no option lifts these limits" in plan_text.render(troubled, Style())


def test_statements_are_compared_as_statements(ten: Plan):
    """A statement put in front of the others is one addition, not a change of all."""
    text = _render(ten, width=160)
    assert "+ Allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer on arn:aws:ecr:*:*:repository/payments" in text
    assert "document[RollOut].Action: + ecs:UpdateService  - ecs:RunTask" in text
    assert "Statement.0" not in text


def test_nothing_untrusted_reaches_the_terminal():
    """Every string of a plan may be hostile: the output has no control character and no extra line."""
    resource = Resource(Address(EVIL, EVIL, EVIL), {EVIL: EVIL, "m": {EVIL: (EVIL,)}}, EVIL)
    fields = (FieldChange(EVIL, EVIL, EVIL + "2"), FieldChange(EVIL, added=(EVIL,), removed=(EVIL,)))
    permission = Permission(EVIL, EVIL, EVIL, EVIL)
    finding = Finding(EVIL, EVIL, EVIL, EVIL, EVIL)
    plan = Plan(
        EVIL,
        EVIL,
        {},
        tuple(Change(resource.address, a, EVIL, EVIL, fields=fields, before=resource, after=resource) for a in Action),
        (AccessDelta(EVIL, (permission,), (permission,), True, Direction.CHANGED), AccessDelta(EVIL)),
        (finding,),
        (finding,),
        {EVIL: EVIL},
        partial={EVIL: (EVIL,)},
        expires=EVIL,
        digest=EVIL,
    )
    for verbose in (0, 1):
        for width in (60, 100):
            assert _render(plan, width=width, verbose=verbose).replace("\n", "").isprintable()


def test_no_line_of_a_plan_is_a_workflow_command(ten: Plan):
    """Under GitHub Actions a hostile name, reason or attribute starts no command, wherever it is wrapped."""
    evil = "::add-mask::x " * 20
    change = Change(
        Address("::a", "::b", evil), Action.CREATE, "::s", evil,
        after=Resource(Address("t", "k", "n"), {"::stop-commands::t": evil}),
    )  # fmt: skip
    plan = replace(ten, changes=(change,), findings=(Finding("::r", "error", evil, evil, evil),), targets={})
    for width in (40, 60, 100):
        lines = _render(plan, width=width).split("\n")
        assert not [line for line in lines if line.strip().startswith("::")]


def test_the_work_is_linear(ten: Plan):
    """Ten times the changes cost about ten times the CPU, not a hundred times."""

    def seconds(number: int) -> float:
        changes = tuple(
            Change(
                Address("t", "role", f"r{i}"),
                Action.UPDATE,
                f"role/r{i}",
                "differs from the manifest",
                fields=(FieldChange("a", i, i + 1),),
            )
            for i in range(number)
        )
        plan = replace(ten, changes=changes, access=tuple(AccessDelta(f"nhi/{i}") for i in range(number)))
        best = []
        for _ in range(3):
            start = time.process_time()
            _render(plan)
            best.append(time.process_time() - start)
        return min(best)

    assert seconds(10_000) < 40 * max(seconds(1_000), 0.002)


def _created(attributes: dict[str, object], **style: object) -> str:
    after = Resource(Address("d", "role", "r"), attributes)
    change = Change(after.address, Action.CREATE, "role/r", "declared", after=after)
    return "\n".join(plan_text.changes([change], Style(**style)))


@pytest.mark.parametrize("width", [40, 80, 100])
def test_what_gives_access_is_never_cut_in_a_create(width: int):
    """Permissions are lines of `action on resource`; audiences and trust are wrapped; prose is cut."""
    audiences = tuple(f"https://audience-{n}.example.org" for n in range(4))
    permissions = tuple(
        {"action": a, "resource": f"orders/{r}", "condition": ""}
        for a in ("read", "refund")
        for r in ("eu", "us", "ap")
    )
    text = _created({"description": "long " * 40, "audiences": audiences, "permissions": permissions}, width=width)
    flat = " ".join(text.split())
    assert "permissions: read, refund on orders/ap, orders/eu, orders/us" in flat
    assert all(audience in flat for audience in audiences)
    assert "long " * 40 not in text
    assert "-v shows the rest" in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_condition_of_a_trust_is_never_cut(ten: Plan, width: int):
    """The environment of a workflow decides who gets in: it is on the screen, and the issuer's end with it."""
    access = _render(ten, width=width).partition("\nAccess\n")[2]
    assert "if sub = repo:example/payments:environment:prod" in access
    assert "actions.githubusercontent.com\n" in access


def test_nothing_possible_is_not_nothing_to_do(troubled: Plan):
    """Without changes, an unreadable target or a blocked object is not `No changes`."""
    stuck = replace(troubled, changes=(), access=(), safety=(), unmanaged={})
    assert summary_parts(replace(stuck, unchanged=3)) == [
        "No changes possible: 3 resources as declared", "1 blocked", "1 target unreadable",
    ]  # fmt: skip
    assert summary_parts(replace(stuck, unchanged=0, findings=())) == [
        "Nothing could be planned",
        "1 target unreadable",
    ]
    assert summary_parts(replace(stuck, unchanged=0, unreadable={})) == ["No changes possible", "1 blocked"]


def test_the_summary_counts_only_what_there_is(ten: Plan):
    """Zeros are left out."""
    assert summary_parts(replace(ten, changes=ten.changes[:1], access=(), unmanaged={})) == ["Plan: 1 to create"]
