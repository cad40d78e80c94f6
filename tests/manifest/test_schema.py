"""Schema problems in words: one for each real mistake, at its place, without a value that could be a secret."""

import pytest

from nhictl.manifest import reader
from nhictl.manifest.schema import check

BASE = """\
apiVersion: nhictl.dev/v1alpha1
kind: NHI
metadata: {name: payments-ci}
spec:
  type: workload
  owner: payments
  purpose: Deploy
  environments: [prod]
  identity:
    local: {}
"""
CANARY = "hunter2-Zk3vQ9"


def problems(text):
    (document,), wrong = reader.parse(text.encode(), "a.yaml")
    assert not wrong
    return check(document)


def changed(old, new):
    assert old in BASE
    return problems(BASE.replace(old, new))


def only(found):
    assert len(found) == 1, found
    return found[0]


def test_good_document_has_no_problems():
    """A document that fits its schema passes."""
    assert problems(BASE) == []


def test_misspelt_field_is_one_problem_at_its_key():
    """A misspelt required field is told once, as unknown, with the right word; not as missing too."""
    found = only(changed("  owner:", "  ownr:"))
    assert (found.code, found.summary, found.hint) == ("E201", "unknown field `ownr`", "did you mean `owner`?")
    assert (found.span.line, found.span.column, found.span.width) == (6, 3, 4)


def test_missing_field_stands_at_its_parent():
    """A missing field is told at the key of the mapping it is missing from."""
    found = only(changed("  owner: payments\n", ""))
    assert (found.code, found.span.line, found.span.column) == ("E202", 4, 1)
    assert "`owner`" in found.summary


def test_all_problems_of_a_document_in_source_order():
    """One run tells every problem, from top to bottom."""
    text = BASE.replace("workload", "workloads").replace("[prod]", "[prod, prod]").replace("Deploy", "1")
    assert [d.code for d in problems(text)] == ["E204", "E203", "E207"]


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("workload", "worklod", "E204", "did you mean `workload`?"),
        ("purpose: Deploy", "purpose: 12", "E203", "must be text, not a number"),
        ("purpose: Deploy", "purpose: ''", "E207", "at least 1 characters"),
        ("environments: [prod]", "environments: prod", "E203", "must be a list, not text"),
        ("environments: [prod]", "environments: []", "E207", "must not be empty"),
        ("environments: [prod]", "environments: [Prod]", "E205", "item 1 of `environments` must be a name"),
        ("local: {}", "local:", "E203", "write `{}` for an empty one"),
        ("local: {}", "local: {}\n    awsUser: {}", "E206", "it has `local` and `awsUser`"),
        ("    local: {}", "    {}", "E206", "it has none"),
        ("local: {}", "locl: {}", "E201", "did you mean `local`?"),
        ("local: {}", "awsPrincipal: {role: a, account: 222222222222}", "E203", "put it in quotes"),
        ("local: {}", "awsPrincipal: {arn: 'arn:aws:iam::1:role/a', account: '222222222222'}", "E212", "exclude"),
        ("local: {}", "gitlab: {project: a/b, refType: tag, environment: x}", "E212", "needs `ref`"),
        ("local: {}", "githubActions: {repository: a/b}", "E206", "needs exactly one of `environment`"),
        ("local: {}", "githubActions: {repository: 'a/*', branch: main}", "E205", "without wildcards"),
        ("type: workload", "type: workload\n  agent: {autonomy: suggest}", "E212", "`agent` needs type `ai-agent`"),
        ("type: workload", "type: workload\n  protect: 'true'", "E203", "true or false, not text"),
        ("type: workload", "type: workload\n  lifecycle: {reviewEvery: 90 days}", "E205", "a duration such as `15m`"),
        ("type: workload", "type: workload\n  lifecycle: {expires: 2026-02-29}", "E205", "a date such as"),
        ("name: payments-ci", "name: payments_ci", "E205", "a name"),
        ("name: payments-ci", 'name: "payments-ci\\n"', "E205", "a name"),
        ("name: payments-ci", "name: x, labels: {a b: c}", "E205", "a label key"),
    ],
)
def test_message_is_readable(old, new, code, words):
    """Each kind of mistake has its code and says in words what is expected."""
    found = only(changed(old, new))
    assert found.code == code
    assert words in f"{found.summary} {found.hint}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BASE.replace("apiVersion: nhictl.dev/v1alpha1\n", ""), "E208"),
        (BASE.replace("v1alpha1", "v1"), "E208"),
        (BASE.replace("kind: NHI\n", ""), "E209"),
        (BASE.replace("kind: NHI", "kind: nhi"), "E209"),
        (BASE.replace("kind: NHI", "kind: [NHI]"), "E209"),
        (BASE.replace("kind: NHI", "kind: Workspace"), "E213"),
    ],
)
def test_envelope(text, code):
    """Version and kind are checked before anything else."""
    assert only(problems(text)).code == code


def test_integer_with_a_fraction_is_refused():
    """`1.0` is not a whole number: no float gets into a typed value."""
    agent = "type: ai-agent\n  agent: {maxDelegation: 1.0}"
    found = only(changed("type: workload", agent))
    assert (found.code, "fraction" in found.summary) == ("E203", True)


@pytest.mark.parametrize(
    "line",
    [
        f"credentials: {{kind: {CANARY}}}",
        f"credentials: {{kind: password, deliverTo: {CANARY}}}",
        f"credentials: {{kind: password, value: {CANARY}}}",
        f"credentials: {{kind: password, maxTtl: {CANARY}}}",
        f"password: {CANARY}",
        f"owner: {CANARY}wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ],
)
def test_values_that_could_be_secrets_are_never_repeated(line):
    """A value in a wrong place is not echoed in any part of a message."""
    text = BASE.replace("  owner: payments\n", "") if line.startswith("owner") else BASE
    found = problems(text + f"  {line}\n")
    assert found
    assert CANARY not in repr(found)


def test_statement_may_be_single_or_a_list():
    """A mistake inside a single statement and inside a list of them is told the same way."""
    role = (
        "apiVersion: nhictl.dev/v1alpha1\nkind: Role\nmetadata: {name: x}\nspec:\n  owner: a\n  aws:\n    statements: "
    )
    single = only(problems(role + "{actions: [s3], resources: ['*']}\n"))
    listed = only(problems(role + "[{actions: [s3], resources: ['*']}]\n"))
    assert (
        single.summary
        == listed.summary
        == "item 1 of `actions` must be an IAM action such as `s3:GetObject`, or `*`, not `s3`"
    )


ROLE = "apiVersion: nhictl.dev/v1alpha1\nkind: Role\nmetadata: {name: x}\nspec:\n  owner: a\n"


@pytest.mark.parametrize("text", ["1h", "12h", "60m", "720m"])
def test_session_duration_aws_takes(text):
    """maxSessionDuration from one to twelve hours passes."""
    assert problems(ROLE + f"  aws: {{maxSessionDuration: {text}}}\n") == []


@pytest.mark.parametrize("text", ["59m", "13h", "721m", "1d", "3600s"])
def test_session_duration_aws_refuses(text):
    """maxSessionDuration outside of one to twelve hours is refused with the bounds."""
    assert "from `1h` to `12h`" in only(problems(ROLE + f"  aws: {{maxSessionDuration: {text}}}\n")).summary
