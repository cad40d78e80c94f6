"""`nhictl.yaml`: found upward, checked, and free of credentials."""

import os
from pathlib import Path

import pytest

from nhictl.manifest.workspace import find, load, parse
from nhictl.model import Exit, NhictlError

TEXT = """\
apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {name: shop}
spec:
  manifests: [manifests/, more/]
  ledger: file:.nhictl/ledger
  planExpiry: 2h
  limits: {deleteMax: 3}
  environments:
    staging:
      targets:
        directory: {provider: local, path: .nhictl/staging.db}
    prod:
      protected: true
      vars: {region: eu-central-1, count: 3}
      targets:
        aws-prod: {provider: aws, account: "222222222222", region: eu-central-1}
"""
CANARY = "hunter2Zk3vQ9"


def codes(text):
    workspace, problems = parse(text.encode(), Path("/w"))
    assert (workspace is None) is bool(problems)
    return [p.code for p in problems]


def test_workspace_is_read():
    """Every setting arrives typed, with the defaults of those left out."""
    workspace, problems = parse(TEXT.encode(), Path("/w"))
    assert problems == []
    assert (workspace.name, workspace.manifests, workspace.plan_expiry) == ("shop", ("manifests/", "more/"), 7200)
    assert (workspace.limits.delete_max, workspace.limits.delete_percent) == (3, 10)
    prod = workspace.environments["prod"]
    assert (prod.protected, prod.vars["count"], prod.targets[0].provider) == (True, 3, "aws")
    assert "provider" not in prod.targets[0].settings


def test_found_upward(tmp_path):
    """A folder below the workspace finds it; the nearest one counts."""
    (tmp_path / "nhictl.yaml").write_text(TEXT)
    below = tmp_path / "manifests" / "nhis"
    below.mkdir(parents=True)
    assert find(below) == tmp_path.resolve()
    assert load(find(below))[0].name == "shop"


def test_a_link_is_not_read(tmp_path):
    """A link in the place of `nhictl.yaml` ends the search and is refused: its target may be anything."""
    (tmp_path / "credentials").write_text(TEXT)
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "nhictl.yaml").symlink_to(tmp_path / "credentials")
    with pytest.raises(NhictlError, match="it is a symbolic link") as caught:
        load(find(tmp_path / "w"))
    assert caught.value.exit == Exit.INVALID


def test_a_pipe_is_not_read(tmp_path):
    """What is not a regular file is refused without waiting for anybody to write to it."""
    os.mkfifo(tmp_path / "nhictl.yaml")
    with pytest.raises(NhictlError, match="not a regular file"):
        load(find(tmp_path))


def test_no_workspace_says_how_to_make_one(tmp_path, monkeypatch):
    """Without `nhictl.yaml` anywhere above, the message names the way out."""
    monkeypatch.setattr("nhictl.manifest.workspace.FILE", "no-such-file.yaml")
    with pytest.raises(NhictlError) as error:
        find(tmp_path)
    assert "init" in error.value.hint


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("provider: local", "provider: locl", "E211"),
        ("provider: local, ", "", "E202"),
        ("provider: local", "provider: Local", "E211"),
        ("provider: local", "provider: [local]", "E203"),
        ('"222222222222"', "222222222222", "E203"),
        ('"222222222222"', '"22222222222"', "E205"),
        ("path: .nhictl/staging.db", "path: a.db, account: x", "E201"),
        ("manifests/, more/", "../elsewhere", "E205"),
        ("manifests/, more/", "/etc", "E205"),
        ("planExpiry: 2h", "planExpiry: 2 hours", "E205"),
        ("deleteMax: 3", "deleteMax: 3.0", "E203"),
        ("deleteMax: 3", "deletePercent: 101", "E207"),
        ("count: 3", "count: 3.0", "E203"),
        ("count: 3", "count: [3]", "E203"),
        ("count: 3", 'count: "${env.name}"', "E403"),
        ("file:.nhictl/ledger", "ftp://x/y", "E205"),
        ("      targets:\n        directory", "      targets: {}\n      x:\n        directory", "E201"),
        ("kind: Workspace", "kind: Owner", "E213"),
        ("metadata: {name: shop}\n", "", "E202"),
    ],
)
def test_mistakes_are_told(old, new, code):
    """A wrong setting is refused with its code."""
    assert old in TEXT
    assert code in codes(TEXT.replace(old, new, 1))


def test_second_document_is_refused():
    """The file holds the Workspace and nothing else."""
    assert codes(TEXT + "---\n" + TEXT) == ["E213"]


@pytest.mark.parametrize(
    "line",
    [
        f"db_password: {CANARY}",
        f"apiToken: {CANARY}",
        f"SECRET: {CANARY}",
        f"url: postgresql://user:{CANARY}@db/ledger",
        f"url: https://:{CANARY}@example.com",
        f"url: https://example.com/?token={CANARY}",
        f'text: "-----BEGIN {CANARY}"',
        f"access-key: {CANARY}",
        f"secretFrom: {CANARY}",
        f"secretVariable: {CANARY}-",
        f"tokenFrom: env:{CANARY}-",
        f'text: "-----BEGIN CERTIFICATE----- -----BEGIN {CANARY}"',
    ],
)
def test_credentials_are_refused_and_not_repeated(line):
    """A credential anywhere in the file is one error at its place that does not show it."""
    workspace, problems = parse(TEXT.replace("count: 3", line).encode(), Path("/w"))
    assert workspace is None
    assert [p.code for p in problems] == ["E210"]
    assert problems[0].span.line == 15
    assert CANARY not in repr(problems)


@pytest.mark.parametrize(
    "target",
    [
        "{provider: keycloak, realm: shop, secretVariable: KEYCLOAK_SHOP_SECRET}",
        '{provider: vault, auth: {approle: {roleIdFrom: "env:ROLE_ID", secretIdFrom: "env:SECRET_ID"}}}',
        '{provider: vault, auth: {jwt: {role: nhictl, tokenFrom: "file:/var/run/token"}}}',
    ],
)
def test_settings_that_say_where_a_secret_is_are_no_credentials(target):
    """The name of a variable or file may stand in the file: the secret is elsewhere."""
    assert codes(TEXT.replace("{provider: local, path: .nhictl/staging.db}", target)) == []


def test_certificates_are_no_credentials():
    """Vars may hold what everybody may see."""
    assert codes(TEXT.replace("count: 3", 'ca: "-----BEGIN CERTIFICATE-----"')) == []


def test_ledger_url_with_a_password_is_a_credential():
    """A password in the ledger URL is told as a credential, not as a wrong form."""
    text = TEXT.replace("file:.nhictl/ledger", f"postgresql://u:{CANARY}@db/ledger")
    problems = parse(text.encode(), Path("/w"))[1]
    assert [p.code for p in problems] == ["E210"]
    assert CANARY not in repr(problems)


@pytest.mark.parametrize(
    "url", ["postgresql://user@db.example.com:5432/ledger", "s3://bucket/prefix", "file:/var/ledger"]
)
def test_ledger_urls_without_credentials_pass(url):
    """All three stores can be named."""
    assert codes(TEXT.replace("file:.nhictl/ledger", url)) == []


@pytest.mark.parametrize("path", ["../x", ".nhictl/../../x", ".git/hooks", "a/.GIT/x", "manifests", "more/ledger", "."])
def test_ledger_stands_inside_and_apart(path):
    """A ledger outside of the tree, in `.git` or among the manifests is an error at its place."""
    _, (problem,) = parse(TEXT.replace("file:.nhictl/ledger", f"file:{path}").encode(), Path("/w"))
    assert (problem.code, problem.span.line) == ("E205", 6)


def test_target_named_after_secrets_passes():
    """A mapping may have such a name: only values can be credentials."""
    assert codes(TEXT.replace("directory:", "secrets-store:")) == []


def test_a_provider_nobody_installed_is_named_with_the_closest():
    """At its place, without importing anybody's adapter."""
    _, (problem,) = parse(TEXT.replace("provider: aws", "provider: awss").encode(), Path("/w"))
    assert (problem.code, problem.hint, problem.span.line) == ("E211", "did you mean `aws`?", 17)


@pytest.mark.parametrize("setting", [f"api-key: {CANARY}", f"token: {{value: {CANARY}}}", f"passwords: [{CANARY}]"])
def test_free_settings_hold_no_credentials(setting):
    """An adapter of others may have any setting, but none that looks like a secret, whatever its shape."""
    text = TEXT.replace("provider: local, path: .nhictl/staging.db", f"provider: example, nested: {{{setting}}}")
    _, problems = parse(text.encode(), Path("/w"))
    assert {p.code for p in problems} == {"E210", "E211"}
    assert CANARY not in repr(problems)
