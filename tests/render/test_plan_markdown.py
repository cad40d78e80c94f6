"""The plan in a pull request: harmless, complete where it fits, honest about what was cut."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

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
from nhictl.render import plan_markdown

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
EVIL = [
    "@org/team",
    "</details>",
    "![x](https://x.y/a.png)",
    "[a](javascript:x)",
    "`|`",
    "a|b",
    "<img src=x onerror=y>",
    "\n\n# heading",
    "```\n</details>",
    "https://evil.example",
    "#12",
    "~~x~~ **y** _z_",
    "<!-- x",
    "\\|`<b>`",
    "&lt;b&gt;",
    "$`x`$",
    "|\n|---|",
    "\u202eabc",
    "a\x1b[31m",
]


def _plan(evil: str) -> Plan:
    resource = Resource(Address(evil, "role", evil), {evil: evil}, evil)
    change = Change(
        resource.address,
        Action.UPDATE,
        evil,
        evil,
        fields=(FieldChange(evil, evil, "x"),),
        before=resource,
        after=resource,
    )
    permission = Permission("allow", evil, evil, evil)
    finding = Finding(evil, "error", evil, evil, evil)
    return Plan(
        evil,
        evil,
        {},
        (change,),
        (AccessDelta(evil, (permission,), (permission,), True, Direction.WIDER), AccessDelta(evil)),
        (finding, replace(finding, level="info")),
        (finding,),
        {evil: evil},
        partial={evil: (evil,)},
        digest=evil,
        expires=evil,
        commit=evil,
    )


def _kinds(text: str) -> list[str]:
    tokens = MARKDOWN.parse(text)
    return [t.type for token in tokens for t in [token, *(token.children or ())]]


def test_the_report_is_as_published(troubled: Plan, golden):
    """Golden output."""
    golden("plan.md", plan_markdown.render(troubled, apply_command="nhictl apply").rstrip("\n"))


def test_verdict_and_access_come_first(ten: Plan):
    """Before anything folded stand the verdict, the summary and the access table."""
    text = plan_markdown.render(ten)
    verdict = text.index("**2 identities would get access not there now.**")
    assert verdict < text.index("| Identity | Access |") < text.index("<details>")


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_untrusted_is_mark_up(evil: str):
    """With hostile names the document has the structure it has with harmless ones: no link, image, HTML or heading."""
    harmless, hostile = (_kinds(plan_markdown.render(_plan(text))) for text in ("name", evil))
    assert {"link_open", "image"} & set(hostile) == set()
    for kind in ("heading_open", "tr_open", "td_open", "fence", "html_block", "list_item_open", "s_open", "em_open"):
        assert hostile.count(kind) == harmless.count(kind), kind


@pytest.mark.parametrize("evil", EVIL)
def test_only_our_own_html_is_there(evil: str):
    """Raw HTML is only the elements this report writes."""
    allowed = {"<br>", "<code>", "</code>"}
    for token in MARKDOWN.parse(plan_markdown.render(_plan(evil))):
        inline = {child.content for child in token.children or () if child.type == "html_inline"}
        assert inline <= allowed
        if token.type == "html_block":
            assert token.content.strip().startswith(("<details><summary>", "</details>"))


def _large(number: int) -> Plan:
    changes = tuple(
        Change(Address("t", "role", f"r{i}"), Action.CREATE, f"nhi/r{i}", "declared") for i in range(number)
    )
    access = tuple(
        AccessDelta(f"nhi/r{i}", (Permission("allow", "é" * 20, "*"),), (), True, Direction.WIDER)
        for i in range(number)
    )
    return Plan("shop", "prod", {}, changes, access, digest="sha256:1", expires="later")


@pytest.mark.parametrize("limit", [plan_markdown.COMMENT_LIMIT, 1024 * 1024])
def test_a_large_plan_is_cut_by_sections_and_says_so(limit: int):
    """The limit holds in bytes; verdict, summary and digest stay; folds are closed; what is missing is named."""
    text = plan_markdown.render(_large(20_000), limit=limit)
    assert len(text.encode()) <= limit
    assert "**20,000 identities would get access not there now.**" in text
    assert "Digest `sha256:1`" in text
    assert "**Left out for size:**" in text
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0


def test_a_plan_that_fits_is_whole():
    """Nothing is cut from a small plan."""
    text = plan_markdown.render(_large(100))
    assert "Left out" not in text
    assert "nhi/r99" in text


def test_nothing_to_do_is_said(ten: Plan):
    """An empty plan has a verdict and no empty sections."""
    text = plan_markdown.render(replace(ten, changes=(), access=()))
    assert "Nothing to do" in text
    assert "<details>" not in text
