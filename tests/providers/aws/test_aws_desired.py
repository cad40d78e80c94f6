"""What manifests mean in AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhictl.codes import CODES
from nhictl.model import Address, Severity
from tests.providers.aws.estates import codes, compiled, connection_of, nhi_of, resources, role_of

SERVICE = "{awsService: {service: ec2.amazonaws.com}}"
STATEMENTS = "statements: [{actions: [a:b], resources: ['*']}]"


def test_a_role_becomes_one_policy_that_its_nhi_has() -> None:
    """The policy is attached by ARN, path and all, and comes first."""
    found = resources(
        role_of(f"{{path: /nhi/, {STATEMENTS}, managedPolicies: ['arn:aws:iam::aws:policy/X']}}")
        + nhi_of(SERVICE, grants="[{role: r}]")
    )
    assert sorted(found) == ["iam-policy/r", "iam-role/x"]
    assert found["iam-role/x"].attributes["policies"] == (
        "arn:aws:iam::123456789012:policy/nhi/r", "arn:aws:iam::aws:policy/X",
    )  # fmt: skip
    assert found["iam-role/x"].depends_on == (Address("aws-test", "iam-policy", "r"),)


def test_an_inline_role_is_part_of_each_nhi() -> None:
    """No policy of its own is made."""
    found = resources(role_of(f"{{inline: true, {STATEMENTS}}}") + nhi_of(SERVICE, grants="[{role: r}]"))
    assert sorted(found) == ["iam-role/x"]
    assert found["iam-role/x"].attributes["inline"] == {
        "r": {
            "Version": "2012-10-17",
            "Statement": ({"Effect": "Allow", "Action": ("a:b",), "Resource": ("*",)},),
        }
    }


@pytest.mark.parametrize("more", [", enabled: false", ", lifecycle: {expires: 2026-11-22}"])
def test_a_disabled_or_expired_nhi_stays_without_grants(more: str) -> None:
    """It is switched off, has nothing attached, and keeps boundary and trust."""
    text = role_of(f"{{permissionsBoundary: bounds, {STATEMENTS}}}") + nhi_of(SERVICE, grants="[{role: r}]", more=more)
    a = resources(text)["iam-role/x"].attributes
    assert (a["enabled"], a["policies"], a["inline"]) == (False, (), {})
    assert a["boundary"] == "arn:aws:iam::123456789012:policy/bounds"


def test_jit_and_expired_grants_give_nothing() -> None:
    """Only standing grants that have not expired are attached."""
    text = (
        role_of(f"{{{STATEMENTS}}}") + role_of(f"{{{STATEMENTS}}}", name="q")
        + nhi_of(SERVICE, grants="[{role: r, mode: jit}, {role: q, expires: 2026-11-21}]")
    )  # fmt: skip
    assert resources(text)["iam-role/x"].attributes["policies"] == ()


def test_the_shortest_session_counts_and_a_boundary_of_ours_comes_first() -> None:
    """Session length is the shortest of the roles; a boundary by the name of a Role is that Role's policy."""
    text = (
        role_of(f"{{maxSessionDuration: 2h, permissionsBoundary: b, {STATEMENTS}}}")
        + role_of(f"{{maxSessionDuration: 4h, {STATEMENTS}}}", name="q")
        + role_of(f"{{path: /bounds/, {STATEMENTS}}}", name="b")
        + nhi_of(SERVICE, grants="[{role: r}, {role: q}]")
    )
    found = resources(text)["iam-role/x"]
    assert found.attributes["max_session_duration"] == 7200
    assert found.attributes["boundary"] == "arn:aws:iam::123456789012:policy/bounds/b"
    assert Address("aws-test", "iam-policy", "b") in found.depends_on


def test_a_native_name_can_have_a_path() -> None:
    """`service/name` is a name below a path."""
    found = resources(nhi_of(SERVICE, more=", nativeName: service/legacy"))
    assert found["iam-role/legacy"].attributes["path"] == "/service/"


def test_an_aws_user_is_a_user_without_trust() -> None:
    """Identity awsUser gives an IAM user with the same grants."""
    found = resources(role_of(f"{{{STATEMENTS}}}") + nhi_of("{awsUser: {}}", grants="[{role: r}]"))
    assert "trust" not in found["iam-user/x"].attributes
    assert found["iam-user/x"].attributes["policies"] == ("arn:aws:iam::123456789012:policy/r",)


@pytest.mark.parametrize("names", [("c", "d"), ("d", "c")])
def test_two_connections_of_one_issuer_share_one_provider(names: tuple[str, str]) -> None:
    """AWS has one for each URL: audiences are joined, it belongs to the first name, and a warning names both."""
    text = "".join(connection_of("{gitlab: {}}", name=name, aws=f"{{audiences: [{name}]}}") for name in names)
    result = compiled(text)
    (only,) = result.resources
    assert (only.subject, only.attributes["audiences"]) == ("connection/c", ("c", "d"))
    (said,) = result.diagnostics
    assert (said.code, said.severity) == ("W606", Severity.WARNING)
    assert "connection/c and connection/d" in said.summary


def test_other_partitions_have_their_own_arns() -> None:
    """A region in China means arn:aws-cn."""
    found = resources(role_of(f"{{{STATEMENTS}}}") + nhi_of(SERVICE, grants="[{role: r}]"), region="cn-north-1")
    assert found["iam-role/x"].attributes["policies"] == ("arn:aws-cn:iam::123456789012:policy/r",)


def test_saml_metadata_stays_inside_the_workspace(tmp_path: Path) -> None:
    """A link that leads out, a missing file and a directory are refused; a file inside is read."""
    root = tmp_path / "w"
    root.mkdir()
    (tmp_path / "secret.xml").write_text("secret")
    (root / "link.xml").symlink_to(tmp_path / "secret.xml")
    (root / "good.xml").write_text("<EntityDescriptor/>\n")
    for name in ("link.xml", "../secret.xml", "missing.xml", "."):
        result = compiled(connection_of(f"{{saml: {{metadataFile: '{name}'}}}}"), root=root)
        assert [d.code for d in result.diagnostics] == ["E509"]
        assert "secret" not in str(result.resources)
    found = resources(connection_of("{saml: {metadataFile: good.xml}}"), root=root)
    assert found["saml-provider/c"].attributes["metadata"] == "<EntityDescriptor/>"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            role_of(f"{{permissionsBoundary: a, {STATEMENTS}}}")
            + role_of(f"{{permissionsBoundary: b, {STATEMENTS}}}", name="q")
            + nhi_of(SERVICE, grants="[{role: r}, {role: q}]"),
            "E507",
        ),
        (nhi_of(SERVICE, name="x" * 65), "E510"),
        (nhi_of(SERVICE, more=", nativeName: aws-service-role/x"), "E510"),
        (role_of(f"{{statements: [{{actions: [a:b], resources: ['{'x' * 6200}']}}]}}"), "E511"),
        (nhi_of(SERVICE) + nhi_of(SERVICE, name="y", more=", nativeName: X"), "E512"),
        (role_of(f"{{tags: {{team: a}}, {STATEMENTS}}}"), "E513"),
    ],
)
def test_what_aws_would_refuse_is_said_early(text: str, code: str) -> None:
    """Hard limits and clashes are diagnostics that `explain` knows."""
    assert codes(text) == [code]
    assert code in CODES
