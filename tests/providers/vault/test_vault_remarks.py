"""Comments in policies: none is lost when the rules are written anew."""

from __future__ import annotations

from nhictl.providers.vault import hcl, remarks

TEXT = """# Asked for in SEC-12.
# Ask before you widen it.

path "kv/a" { capabilities = ["read"] } // the shop reads
/* and
 * no more */
path "kv/b" {
  # never, SEC-13
  capabilities = ["deny"]
}
# the end
"""


def body(**rules: tuple[str, ...]) -> str:
    """A policy of rules as nhictl writes it."""
    return hcl.body({"rules": {f"kv/{path}": caps for path, caps in rules.items()}, "text": ""})


def test_each_comment_stays_with_its_path():
    """What stands before, inside and behind a path is written before the path that it is about, or that follows."""
    said = remarks.kept(TEXT, body(a=("list", "read"), b=("deny",)))
    assert said.startswith('# Asked for in SEC-12.\n# Ask before you widen it.\npath "kv/a" {\n')
    below = "# the shop reads\n# and\n# no more\n# never, SEC-13\n# the end\n"
    assert f'}}\n\n{below}path "kv/b" {{\n' in said
    assert hcl.rules(said) == {"kv/a": ("list", "read"), "kv/b": ("deny",)}


def test_the_comments_of_a_path_that_is_gone_stand_at_the_top():
    """They are somebody's, and may say why it was there."""
    said = remarks.kept(TEXT, body(a=("read",)))
    assert said.index("# never, SEC-13") < said.index("# Asked for in SEC-12.") < said.index("path")


def test_keeping_comments_twice_is_keeping_them_once():
    """The next change finds them where the last one put them."""
    once = remarks.kept(TEXT, body(b=("read",)))
    twice = remarks.kept(once, body(b=("list",)))
    assert sorted(line for line in once.split("\n") if "#" in line) == sorted(
        line for line in twice.split("\n") if "#" in line
    )


def test_json_and_what_is_not_understood_have_no_comments():
    """JSON has none, and nothing is guessed."""
    plain = body(a=("read",))
    assert remarks.kept('{"path": {"a": {"policy": "read"}}}', plain) == plain
    assert remarks.kept("# x\nother {}", plain) == plain


def test_without_comments_nothing_is_added():
    """The text is as it was."""
    assert remarks.kept(body(a=("read",)), body(b=("read",))) == body(b=("read",))
