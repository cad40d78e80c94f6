"""What an estate means in a realm, and what is refused with a position."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Address, Diagnostic, Resource
from nhictl.providers.keycloak.adapter import adapter
from tests.conformance.world import NOW, documents

NHI = """
kind: NHI
metadata: {{name: payments}}
spec:
  type: workload
  owner: x
  purpose: Pay
  identity: {identity}
  grants: {grants}
"""
CLIENT = "{keycloak: {clientId: payments, auth: client-secret}}"


def estate(text: str, root: Path) -> tuple[dict[Address, Resource], list[Diagnostic]]:
    """Return what manifests mean in the realm `shop`, and what was said."""
    found = documents(text)
    target = Target("sso", "keycloak", {"realm": "shop"}, root)
    compiled = adapter.desired(
        Estate(
            owner="w/e", environment=Environment("e", False, {}, (target,)), target=target,
            nhis=tuple(nhi.parse(d) for d in found if d.kind == "NHI"),
            roles={d.name: role.parse(d) for d in found if d.kind == "Role"},
            connections={d.name: connection.parse(d) for d in found if d.kind == "Connection"},
            today=NOW.date(), names={}, previous={},
        )
    )  # fmt: skip
    return {r.address: r for r in compiled.resources}, list(compiled.diagnostics)


def a_role(name: str, block: str) -> str:
    """Return a Role manifest."""
    return f"---\nkind: Role\nmetadata: {{name: {name}}}\nspec: {{keycloak: {block}}}\n"


def a_connection(issuer: str, block: str = "{alias: a}") -> str:
    """Return a Connection manifest."""
    return f"---\nkind: Connection\nmetadata: {{name: con}}\nspec: {{issuer: {issuer}, keycloak: {block}}}\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("E535", NHI.format(identity="{awsService: {service: ecs.amazonaws.com}}", grants="[]")),
        ("E535", NHI.format(identity="{keycloak: {clientId: a, auth: client-secret, subjectDn: CN=a}}", grants="[]")),
        ("E535", NHI.format(identity="{keycloak: {clientId: a, auth: tls, subjectDn: /O=Example/CN=a}}", grants="[]")),
        ("E535", NHI.format(identity="{keycloak: {clientId: a, auth: tls, caSubjectDn: CN=Our CA}}", grants="[]")),
        ("E536", NHI.format(identity="{keycloak: {clientId: " + "p" * 256 + ", auth: tls}}", grants="[]")),
        ("E537", a_role("offline_access", "{}")),
        ("E537", a_role("view-users", "{client: realm-management}")),
        ("E537", a_role("email", "{bundle: true, scope: {}}")),
        ("E537", NHI.format(identity="{keycloak: {clientId: admin-cli, auth: tls}}", grants="[]")),
        ("E538", a_role("mail", "{scopes: [email]}")),
        ("E539", a_role("nothing", "{bundle: true}")),
        ("E540", a_connection("{oidc: {url: 'https://a.example.com'}}", "{alias: a, config: {clientSecret: x}}")),
        ("E541", NHI.format(identity=CLIENT, grants="[{role: own}]") + a_role("own", "{client: payments}")),
        ("E542", a_connection("{awsAccount: {account: '333333333333'}}")),
        ("E543", a_connection("{saml: {metadataFile: ../metadata.xml}}")),
        ("E544", NHI.format(identity="{githubActions: {repository: a/b, branch: main}}", grants="[]")),
        (
            "E535",
            NHI.format(identity="{oidc: {subject: a, claims: {team: b}}}", grants="[{role: r, via: con}]")
            + a_role("r", "{}") + a_connection("{oidc: {url: 'https://a.example.com'}}"),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_expressed_is_said(code: str, text: str, tmp_path: Path):
    """Each refusal has its code and a place."""
    _, said = estate(text, tmp_path)
    assert code in {d.code for d in said}


@pytest.mark.parametrize("content", ["<a/>", "<!DOCTYPE a><a/>", "-----BEGIN PRIVATE KEY-----", "<a", "\xff"])
def test_metadata_that_cannot_be_trusted_is_refused(content: str, tmp_path: Path):
    """No identity provider in it, entities, a private key, no XML, no UTF-8."""
    (tmp_path / "m.xml").write_bytes(content.encode("latin-1"))
    _, said = estate(a_connection("{saml: {metadataFile: m.xml}}"), tmp_path)
    assert [d.code for d in said] == ["E543"]


@pytest.mark.parametrize(
    ("identity", "subject"),
    [
        ("{githubActions: {repository: a/b, environment: prod}}", "repo:a/b:environment:prod"),
        ("{githubActions: {repository: a/b, branch: main}}", "repo:a/b:ref:refs/heads/main"),
        ("{githubActions: {repository: a/b, tag: v1}}", "repo:a/b:ref:refs/tags/v1"),
        ("{githubActions: {repository: a/b, pullRequest: true}}", "repo:a/b:pull_request"),
        ("{gitlab: {project: a/b, ref: main}}", "project_path:a/b:ref_type:branch:ref:main"),
        ("{kubernetes: {namespace: n, serviceAccount: s}}", "system:serviceaccount:n:s"),
        ("{oidc: {subject: exact}}", "exact"),
    ],
)
def test_a_workload_proves_itself_with_one_exact_subject(identity: str, subject: str, tmp_path: Path):
    """The client trusts the identity provider of its Connection and one subject."""
    kind = identity.strip("{").partition(":")[0]
    issuer = {"githubActions": "{organization: a}", "gitlab": "{}"}.get(kind, "{url: 'https://a.example.com'}")
    text = NHI.format(identity=identity, grants="[]") + a_connection(f"{{{kind}: {issuer}}}")
    found, said = estate(text, tmp_path)
    made = found[Address("sso", "client", "payments")]
    assert said == []
    assert (made.attributes["auth"], made.attributes["proof"]) == ("federated-jwt", {"issuer": "a", "subject": subject})
    assert made.depends_on == (Address("sso", "identity-provider", "a"),)


def test_an_nhi_that_is_off_has_no_grants(tmp_path: Path):
    """Roles and scopes go with `enabled: false`."""
    text = NHI.format(identity=CLIENT, grants="[{role: r}]").replace(
        "type: workload", "type: workload\n  enabled: false"
    )
    found, _ = estate(text + a_role("r", "{scope: {}}"), tmp_path)
    made = found[Address("sso", "client", "payments")].attributes
    assert (made["enabled"], made["roles"], made["scopes"]) == (False, (), {})
