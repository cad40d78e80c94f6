"""Rules that leave objects alone: what they match, and what no plan does to what they match."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nhictl.kinds.workspace import Ignore
from nhictl.leaving import like, matches, rule_for
from nhictl.manifest.workspace import parse
from nhictl.model import Address, Resource
from tests.support import Shop, nhi, role

TODAY = dt.date(2026, 11, 22)
ROLE = Resource(
    Address("aws-prod", "iam-role", "cdk-hnb659fds-deploy-role"),
    {"path": "/cdk/", "tags": {"managed-by": "terraform"}},
    facts={"tags": {"aws:cloudformation:stack-name": "CDKToolkit"}},
)


def rule(**fields):
    return Ignore(0, "Somebody else does", **fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"names": ("cdk-*",)}, True),
        ({"names": ("other", "*-role")}, True),
        ({"names": ("CDK-*",)}, False),
        ({"paths": ("/cdk/",)}, True),
        ({"paths": ("/other/*",)}, False),
        ({"kinds": ("iam-r?le",), "targets": ("aws-*",)}, True),
        ({"kinds": ("iam-user",), "targets": ("aws-*",)}, False),
        ({"tags": (("managed-by", "terra*"),)}, True),
        ({"tags": (("aws:cloudformation:stack-name", "*"),)}, True),
        ({"tags": (("managed-by", "*"), ("absent", "*"))}, False),
    ],
)
def test_every_field_of_a_rule_must_match(fields, expected):
    """Lists hold alternatives, fields add up, tags count in attributes and in facts."""
    assert matches(rule(**fields), ROLE) is expected


@given(st.text(max_size=20))
@example("[ab]")
@example("a[!b]c")
def test_a_pattern_without_stars_means_itself(text):
    """Nothing but `*` and `?` has a meaning: brackets and backslashes stand for themselves."""
    plain = text.replace("*", "").replace("?", "")
    assert like(plain, plain)
    assert not like(plain + "x", plain)


def test_an_expired_rule_matches_nothing():
    """On the day it expires a rule no longer counts, and the next one that matches does."""
    over, counting = rule(names=("cdk-*",), expires=TODAY), Ignore(1, "CDK", names=("cdk-*",))
    assert rule_for([over, counting], ROLE, TODAY) is counting
    assert rule_for([over], ROLE, TODAY - dt.timedelta(days=1)) is over


def test_rules_are_read_from_the_workspace(tmp_path):
    """Every field of a rule arrives typed."""
    text = """\
apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {name: shop}
spec:
  ignore:
    - {match: {names: [cdk-*], tags: {a: b}}, reason: CDK manages it, expires: 2027-01-31}
  environments: {test: {targets: {directory: {provider: local, path: d.db}}}}
"""
    workspace, problems = parse(text.encode(), tmp_path)
    assert problems == []
    assert workspace.ignore == (
        Ignore(0, "CDK manages it", names=("cdk-*",), tags=(("a", "b"),), expires=dt.date(2027, 1, 31)),
    )


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def _ignore(shop, text):
    file = shop.root / "nhictl.yaml"
    file.write_text(file.read_text().partition("  ignore:")[0] + f"  ignore:\n    - {text}\n")


NAMED = "{match: {names: [api]}, reason: Terraform manages it}"


def test_a_managed_object_under_a_rule_is_not_updated(shop):
    """Changing what a rule leaves alone is blocked, with the rule and the way out."""
    shop.declare(nhi("api")).converge()
    shop.declare(nhi("api", purpose="Another"))
    _ignore(shop, NAMED)
    plan = shop.plan()
    assert plan.changes == ()
    [finding] = [f for f in plan.findings if f.rule == "ignored"]
    assert "ignore[0]" in finding.message
    assert "Terraform manages it" in finding.message
    assert "ledger forget" in finding.hint


def test_an_object_under_a_rule_is_not_adopted(shop):
    """Taking over what a rule leaves alone is blocked, even when asked for by name."""
    shop.declare(nhi("web")).converge()
    shop.sql("INSERT INTO identities (id, name, type) VALUES ('x1', 'api', 'workload')")
    shop.declare(nhi("web"), nhi("api"))
    _ignore(shop, NAMED)
    plan = shop.plan(adopt=frozenset({"nhi/api"}))
    assert plan.changes == ()
    assert [f.rule for f in plan.findings] == ["ignored"]


def test_a_removed_object_under_a_rule_stays(shop):
    """What is no longer declared is neither disabled nor deleted while a rule leaves it alone."""
    shop.declare(nhi("api"), nhi("web")).converge()
    shop.declare(nhi("web"))
    _ignore(shop, NAMED)
    plan = shop.plan()
    assert plan.changes == ()
    assert [f.rule for f in plan.findings] == ["ignored"]


def test_an_ignored_object_does_not_count_as_unmanaged(shop):
    """Unmanaged is what nobody answers for: what a rule leaves alone has somebody."""
    shop.declare(nhi("web")).converge()
    shop.sql("INSERT INTO identities (id, name, type) VALUES ('x1', 'api', 'workload')")
    assert shop.plan().unmanaged == {"directory": 1}
    _ignore(shop, NAMED)
    assert shop.plan().unmanaged == {"directory": 0}


def test_an_untouched_managed_object_is_no_finding(shop):
    """A rule says something only where a plan would touch the object."""
    shop.declare(role("reader"), nhi("api", "reader")).converge()
    _ignore(shop, NAMED)
    assert shop.pending() == []


def test_an_expired_rule_is_warned_about(shop):
    """Validation tells that a rule no longer counts, where it stands."""
    shop.declare(nhi("api"))
    _ignore(shop, "{match: {names: [api]}, reason: Old, expires: 2026-11-22}")
    [warning] = _diagnostics(shop)
    assert (warning.code, warning.span.file) == ("W616", "nhictl.yaml")


def test_a_rule_about_no_target_is_an_error(shop):
    """A misspelt target would leave nothing alone in silence."""
    shop.declare(nhi("api"))
    _ignore(shop, "{match: {targets: [direktory]}, reason: Typo}")
    [error] = _diagnostics(shop)
    assert error.code == "E565"


def _diagnostics(shop):
    from nhictl.manifest.validate import validate

    return validate(shop.root, today=shop.now.date()).diagnostics
