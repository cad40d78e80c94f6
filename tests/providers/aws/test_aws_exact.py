"""Every value of a trust is exact: what widens it in silence is refused at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.aws.estates import compiled, connection_of, nhi_of, resources

VARIABLE = "${token.actions.githubusercontent.com:sub}"
ISSUER = connection_of("{oidc: {url: 'https://a.b'}}")
SAML = connection_of("{saml: {metadataFile: m.xml}}")
OTHER = '{awsAccount: {account: "222222222222", externalId: "%s"}}'
PRINCIPAL = nhi_of('{awsPrincipal: {account: "222222222222", role: deploy}}')


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    """A workspace with the metadata of a SAML identity provider."""
    (tmp_path / "m.xml").write_text("<x/>\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        ISSUER + nhi_of(f"{{oidc: {{subject: '{VARIABLE}'}}}}"),
        ISSUER + nhi_of("{oidc: {subject: ''}}"),
        ISSUER + nhi_of(f"{{oidc: {{subject: a, claims: {{email: ['b', '{VARIABLE}']}}}}}}"),
        ISSUER + nhi_of("{oidc: {subject: a, claims: {amr: 'x*'}}}"),
        ISSUER + nhi_of("{oidc: {subject: a, claims: {amr: []}}}"),
        ISSUER + nhi_of("{spiffe: {id: 'spiffe://a/${x}'}}"),
        connection_of("{githubActions: {organization: e}}")
        + nhi_of("{githubActions: {repository: e/a, environment: '${x}'}}"),
        connection_of("{gitlab: {}}") + nhi_of("{gitlab: {project: g/p, ref: '${x}'}}"),
        SAML + nhi_of("{saml: {subject: '${saml:sub}'}}"),
        SAML + nhi_of("{saml: {subject: ''}}"),
        SAML + nhi_of("{saml: {attributes: {cn: ['a', '${saml:cn}']}}}"),
        SAML + nhi_of("{saml: {subject: s, audience: '${saml:aud}'}}"),
        nhi_of("{awsService: {service: s3.amazonaws.com, sourceArn: '${aws:SourceArn}'}}"),
        nhi_of("{awsService: {service: s3.amazonaws.com, sourceArn: 'arn:aws:s3:*:*:*'}}"),
        nhi_of("{awsService: {service: s3.amazonaws.com, sourceArn: 'arn:aws:s3:::b*'}}"),
        nhi_of("{awsService: {service: s3.amazonaws.com, sourceAccount: '${aws:SourceAccount}'}}"),
        nhi_of("{awsService: {service: s3.amazonaws.com, sourceAccount: ''}}"),
        nhi_of("{awsService: {service: '*'}}"),
        connection_of(OTHER % "${sts:ExternalId}") + PRINCIPAL,
        nhi_of("{awsPrincipal: {role: 'x*'}}"),
    ],
)
def test_variables_wildcards_and_empty_texts_are_refused(text: str, root: Path) -> None:
    """One diagnostic with a place and a way out; no role is made."""
    result = compiled(text, root=root)
    assert [d.code for d in result.diagnostics] == ["E505"]
    assert result.diagnostics[0].span is not None
    assert result.diagnostics[0].hint
    assert not [r for r in result.resources if r.address.kind == "iam-role"]


def test_a_variable_is_called_what_it_is() -> None:
    """The message says what IAM would do with it."""
    (said,) = compiled(ISSUER + nhi_of(f"{{oidc: {{subject: '{VARIABLE}'}}}}")).diagnostics
    assert "a policy variable in a trust matches itself" in said.summary


@pytest.mark.parametrize("audience", ["*", "${a.b:aud}", "a?", ""])
def test_the_audiences_of_a_connection_are_exact(audience: str) -> None:
    """The connection is refused at its audiences, and nothing comes through it."""
    text = connection_of("{oidc: {url: 'https://a.b'}}", aws=f"{{audiences: [x, '{audience}']}}")
    result = compiled(text + nhi_of("{oidc: {subject: s}}"))
    assert [d.code for d in result.diagnostics] == ["E505", "E502"]
    assert result.resources == ()


def test_an_issuer_without_tls_is_refused() -> None:
    """The connection at its URL, with the way out, and whatever comes through it."""
    result = compiled(connection_of("{oidc: {url: 'http://sso.example.com'}}") + nhi_of("{oidc: {subject: s}}"))
    first, *rest = result.diagnostics
    assert (first.code, first.hint, [d.code for d in rest]) == ("E505", "AWS takes https:// only", ["E502"])
    assert "not reached over TLS" in first.summary
    assert first.span is not None
    assert result.resources == ()


@pytest.mark.parametrize("url", ["https://*", "https://${a}", "https://"])
def test_the_issuer_of_a_connection_is_exact(url: str) -> None:
    """The issuer names the conditions of every trust."""
    assert [d.code for d in compiled(connection_of(f"{{oidc: {{url: '{url}'}}}}")).diagnostics] == ["E505"]


@pytest.mark.parametrize("identity", ["{saml: {}}", "{saml: {audience: a}}", "{saml: {attributes: {sub_type: p}}}"])
def test_a_saml_trust_of_everybody_is_refused(identity: str, root: Path) -> None:
    """Audience, issuer and the like are the same for everybody of the identity provider."""
    (said,) = compiled(SAML + nhi_of(identity), root=root).diagnostics
    assert said.code == "E505"
    assert "subject" in said.hint


def test_a_source_may_be_a_pattern_within_its_account() -> None:
    """Region and resource may vary, the account may not."""
    arn = "arn:aws:sns:*:123456789012:*"
    found = resources(nhi_of(f"{{awsService: {{service: sns.amazonaws.com, sourceArn: '{arn}'}}}}"))
    assert arn in str(found["iam-role/x"].attributes["trust"])


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:iam::123456789012:root", "E505"),
        ("arn:aws:iam::123456789012:role/*", "E505"),
        ("arn:aws:sts::123456789012:assumed-role/a/*", "E505"),
        ("arn:aws:iam::123456789012:user/${aws:username}", "E505"),
        ("*", "E505"),
        ("123456789012", "E503"),
        ("arn:aws:iam:::role/a", "E503"),
        ("arn:aws-cn:iam::123456789012:role/a", "E503"),
        ("arn:aws:iam::222222222222:role/a", "E503"),
        ("arn:aws:iam::222222222222:root", "E503"),
        ("arn:aws:iam::123456789012:group/a", "E506"),
        ("arn:aws:s3::123456789012:role/a", "E506"),
    ],
)
def test_a_principal_by_arn_is_one_principal(arn: str, code: str) -> None:
    """Whole accounts, other partitions, foreign accounts and patterns are refused at the ARN."""
    result = compiled(nhi_of(f"{{awsPrincipal: {{arn: '{arn}'}}}}"))
    assert [d.code for d in result.diagnostics] == [code]
    assert result.resources == ()


@pytest.mark.parametrize("account", ["123456789012", "222222222222"])
def test_a_whole_account_is_trusted_where_a_connection_says_so(account: str) -> None:
    """A Connection with the issuer awsAccount makes the root of the account a principal, with its external id."""
    declared = connection_of(f'{{awsAccount: {{account: "{account}", externalId: agreed}}}}')
    text = declared + nhi_of(f"{{awsPrincipal: {{arn: 'arn:aws:iam::{account}:root'}}}}")
    trust = resources(text)["iam-role/x"].attributes["trust"]
    assert f"arn:aws:iam::{account}:root" in str(trust)
    assert "agreed" in str(trust)


def test_a_session_of_a_role_is_a_principal() -> None:
    """One session by name is exact."""
    arn = "arn:aws:sts::123456789012:assumed-role/a/session"
    found = resources(nhi_of(f"{{awsPrincipal: {{arn: '{arn}'}}}}"))
    assert arn in str(found["iam-role/x"].attributes["trust"])
