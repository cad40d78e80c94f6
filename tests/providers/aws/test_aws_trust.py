"""Who may become a role: composed exactly, or refused with a code and a place."""

from __future__ import annotations

from typing import Any

import pytest

from nhictl.codes import CODES
from nhictl.providers.aws import normalise, trust
from tests.providers.aws.estates import codes, compiled, connection_of, nhi_of, resources

GITHUB = connection_of("{githubActions: {organization: example}}")
ISSUER = "token.actions.githubusercontent.com"


def statement(text: str, **given: Any) -> Any:
    """Return the one trust statement of role x."""
    (only,) = resources(text, **given)["iam-role/x"].attributes["trust"]["Statement"]
    return only


@pytest.mark.parametrize(
    ("identity", "subject"),
    [
        ("{repository: example/app, environment: prod}", "repo:example/app:environment:prod"),
        ("{repository: example/app, environment: 'a:b%'}", "repo:example/app:environment:a%3Ab%25"),
        ("{repository: example/app, branch: main}", "repo:example/app:ref:refs/heads/main"),
        ("{repository: example/app, tag: v1}", "repo:example/app:ref:refs/tags/v1"),
        ("{repository: example/app, ref: refs/heads/x}", "repo:example/app:ref:refs/heads/x"),
        ("{repository: example/app, pullRequest: true}", "repo:example/app:pull_request"),
        ("{repository: example@1/app@2, branch: main}", "repo:example@1/app@2:ref:refs/heads/main"),
    ],
)
def test_github_subjects_are_exact(identity: str, subject: str) -> None:
    """Audience and subject are pinned with StringEquals, and nothing else."""
    assert statement(GITHUB + nhi_of(f"{{githubActions: {identity}}}")) == {
        "Effect": "Allow",
        "Action": ("sts:AssumeRoleWithWebIdentity",),
        "Principal": {"Federated": (f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}",)},
        "Condition": {"StringEquals": {f"{ISSUER}:aud": ("sts.amazonaws.com",), f"{ISSUER}:sub": (subject,)}},
    }


@pytest.mark.parametrize(
    ("issuer", "identity", "name", "subject"),
    [
        (
            "{gitlab: {}}", "{gitlab: {project: g/p, ref: main}}",
            "gitlab.com", "project_path:g/p:ref_type:branch:ref:main",
        ),
        (
            "{gitlab: {url: 'https://git.example.com'}}", "{gitlab: {project: g/p, ref: v1, refType: tag}}",
            "git.example.com", "project_path:g/p:ref_type:tag:ref:v1",
        ),
        (
            "{kubernetes: {url: 'https://OIDC.eks.example.com/id/AB/'}}",
            "{kubernetes: {namespace: shop, serviceAccount: pay}}",
            "oidc.eks.example.com/id/AB", "system:serviceaccount:shop:pay",
        ),
        (
            "{oidc: {url: 'https://sso.example.com/realms/shop'}}", "{oidc: {subject: abc}}",
            "sso.example.com/realms/shop", "abc",
        ),
        (
            "{oidc: {url: 'https://spire.example.com'}}", "{spiffe: {id: 'spiffe://example.com/pay'}}",
            "spire.example.com", "spiffe://example.com/pay",
        ),
    ],
)  # fmt: skip
def test_oidc_subjects_are_exact(issuer: str, identity: str, name: str, subject: str) -> None:
    """Every OIDC issuer pins audience and subject under the provider's own name."""
    found = statement(connection_of(issuer, aws="{audiences: [a2, a1]}") + nhi_of(identity))
    assert found["Condition"] == {"StringEquals": {f"{name}:aud": ("a1", "a2"), f"{name}:sub": (subject,)}}
    assert found["Principal"] == {"Federated": (f"arn:aws:iam::123456789012:oidc-provider/{name}",)}


def test_another_account_needs_its_connection_and_sends_its_external_id() -> None:
    """The external id of the connection is a condition of the trust."""
    other = connection_of('{awsAccount: {account: "222222222222", externalId: agreed}}')
    found = statement(other + nhi_of('{awsPrincipal: {account: "222222222222", role: deploy}}'))
    assert found["Principal"] == {"AWS": ("arn:aws:iam::222222222222:role/deploy",)}
    assert found["Condition"] == {"StringEquals": {"sts:ExternalId": ("agreed",)}}
    assert "oidc-provider" not in str(sorted(resources(other)))


def test_a_principal_of_the_same_account_needs_no_connection() -> None:
    """A role of this account is named by its ARN; one of this estate comes first."""
    text = nhi_of("{awsPrincipal: {role: y}}") + nhi_of("{awsService: {service: ec2.amazonaws.com}}", name="y")
    found = resources(text)
    assert statement(text)["Principal"] == {"AWS": ("arn:aws:iam::123456789012:role/y",)}
    assert [str(a) for a in found["iam-role/x"].depends_on] == ["aws-test/iam-role/y"]


def test_a_service_is_bound_to_its_source() -> None:
    """Source account and ARN become conditions; an ARN pattern is compared as one."""
    text = "{awsService: {service: s3.amazonaws.com, sourceArn: 'arn:aws:s3:::b*', sourceAccount: '123456789012'}}"
    assert statement(nhi_of(text))["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ("123456789012",)},
        "ArnLike": {"aws:SourceArn": ("arn:aws:s3:::b*",)},
    }


def test_saml_pins_the_audience(tmp_path: Any) -> None:
    """Without an audience of its own an assertion must be for AWS's sign-in."""
    (tmp_path / "m.xml").write_text("<x/>\n")
    text = connection_of("{saml: {metadataFile: m.xml}}") + nhi_of("{saml: {subject: s, attributes: {cn: a}}}")
    found = statement(text, root=tmp_path)
    assert found["Action"] == ("sts:AssumeRoleWithSAML",)
    assert found["Condition"] == {
        "StringEquals": {
            "SAML:aud": ("https://signin.aws.amazon.com/saml",), "SAML:cn": ("a",), "SAML:sub": ("s",),
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (nhi_of("{postgres: {login: x}}"), "E501"),
        (nhi_of("{githubActions: {repository: example/app, branch: main}}"), "E502"),
        (nhi_of('{awsPrincipal: {account: "222222222222", role: x}}'), "E503"),
        (GITHUB + nhi_of("{githubActions: {repository: evil/app, branch: main}}"), "E504"),
        (connection_of("{oidc: {url: 'https://a.b'}}") + nhi_of("{oidc: {subject: 'a*'}}"), "E505"),
        (GITHUB + nhi_of("{githubActions: {repository: example/app}}"), "E505"),
        (connection_of("{gitlab: {}}") + nhi_of("{gitlab: {project: g/p, environment: prod}}"), "E506"),
        (GITHUB + nhi_of("{githubActions: {repository: example@1/app, branch: main}}"), "E506"),
        (connection_of("{oidc: {url: 'https://a.b'}}") + nhi_of("{oidc: {subject: a, claims: {team: x}}}"), "E506"),
        (
            GITHUB + connection_of("{githubActions: {organization: example, url: 'https://git.example'}}", name="d")
            + nhi_of("{githubActions: {repository: example/app, branch: main}}"),
            "E508",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_trusted_is_refused(text: str, code: str) -> None:
    """One diagnostic with a position, a way out, and a code that `explain` knows; no half-made role."""
    result = compiled(text)
    assert [d.code for d in result.diagnostics] == [code]
    assert code in CODES
    assert result.diagnostics[0].span is not None
    assert result.diagnostics[0].hint
    assert not [r for r in result.resources if r.address.kind == "iam-role"]


def test_a_connection_of_another_issuer_is_refused_at_the_grant() -> None:
    """`via` must fit the identity."""
    text = (
        connection_of("{gitlab: {}}")
        + "---\nkind: Role\nmetadata: {name: r}\nspec: {aws: {managedPolicies: []}}\n"
        + nhi_of("{githubActions: {repository: example/app, branch: main}}", grants="[{role: r, via: c}]")
    )
    assert codes(text) == ["E502"]


EVIL = "{oidc: {subject: 'repo:evilorg/evil:ref:refs/heads/main'}}"
ROLE_R = "---\nkind: Role\nmetadata: {name: r}\nspec: {aws: {managedPolicies: []}}\n"


@pytest.mark.parametrize("issuer", ["githubActions: {organization: e}", "gitlab: {}", "kubernetes: {url: 'https://k'}"])
def test_a_free_subject_does_not_come_through_an_issuer_with_rules(issuer: str) -> None:
    """The identity block of the issuer is told, and no role is made."""
    text = connection_of(f"{{{issuer}}}") + ROLE_R + nhi_of(EVIL, grants="[{role: r, via: c}]")
    (said,) = compiled(text).diagnostics
    assert said.code == "E502"
    assert f"use the identity block {issuer.partition(':')[0]}" in said.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://token.actions.githubusercontent.com", "https://TOKEN.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com:443", "https://token.actions.githubusercontent.com/octo-inc",
        "https://token.actions.octo.ghe.com",
    ],
)  # fmt: skip
def test_githubs_issuer_as_plain_oidc_carries_no_free_subject(url: str) -> None:
    """However its URL is written, the organisation cannot be got round."""
    assert codes(connection_of(f"{{oidc: {{url: '{url}'}}}}") + nhi_of(EVIL)) == ["E504"]


@pytest.mark.parametrize("kind", ["githubActions", "gitlab", "kubernetes"])
def test_a_second_connection_to_an_issuer_carries_no_free_subject(kind: str) -> None:
    """The issuer of a connection with rules keeps them under another connection's name."""
    declared = connection_of(f"{{{kind}: {{url: 'https://Git.example/', organization: e}}}}", name="z")
    text = connection_of("{oidc: {url: 'https://git.example'}}") + declared + nhi_of("{oidc: {subject: s}}")
    assert sorted(codes(text)) == ["E504", "W606"]


def test_a_repository_does_not_come_through_a_connection_without_organisation() -> None:
    """Neither a plain issuer nor an empty name says whose repositories are meant."""
    identity = "{githubActions: {repository: evil/app, branch: main}}"
    plain = connection_of("{oidc: {url: 'https://token.actions.githubusercontent.com'}}")
    assert codes(plain + ROLE_R + nhi_of(identity, grants="[{role: r, via: c}]")) == ["E502"]
    assert codes(connection_of("{githubActions: {organization: ''}}") + nhi_of(identity)) == ["E504"]


def test_trust_is_read_back_as_who_may_become_it() -> None:
    """Principals of every sort, conditions, denials and negations are shown."""
    document = normalise.document(
        {
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": ["123456789012"], "Service": "a.amazonaws.com"},
                 "Action": ["sts:AssumeRole", "sts:TagSession"]},
                {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"Bool": {"k": True}}},
                {"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "sts:TagSession"},
            ]
        }
    )  # fmt: skip
    found = {(p.effect, p.action, p.resource, p.condition) for p in trust.assumptions(document, "s")}
    assert found == {
        ("allow", "assume", "AWS:arn:aws:iam::123456789012:root", ""),
        ("allow", "assume", "Service:a.amazonaws.com", ""),
        ("deny", "assume", "*", '{"Bool":{"k":["true"]}}'),
        ("allow", "sts:TagSession", "not:AWS:*", ""),
    }
