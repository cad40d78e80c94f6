"""No secret gets out: canaries at every place where one can come in, every command run, everything written searched.

The `externalId` of a role or connection is a name that two parties share, not a secret: it stands in trust policies.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nhictl.model import Exit
from nhictl.providers.aws.adapter import AwsAdapter
from nhictl.providers.local.session import LocalSession
from tests.commandline import Shell, files_below
from tests.security.canaries import NAMES, canary, forms, found
from tests.servers.aws import ACCOUNT
from tests.servers.strict import Fault, Strict, throttle
from tests.servers.strict_wire import Reply

API = "apiVersion: nhictl.dev/v1alpha1"
FORMATS = ("full", "concise", "json", "github", "gitlab", "sarif")
CONFIGURATION = """
{api}
kind: Workspace
metadata: {{name: shop}}
spec:
  manifests: [manifests/]
  ledger: {ledger}
  limits: {{deletePercent: 100, deleteMax: 1000, revokePercent: 100, revokeMax: 1000}}
  environments:
    test:
      vars: {{{vars}}}
      targets:
        {target}
"""
LOCAL = "directory: {provider: local, path: directory.db}"
AWS = f'cloud: {{provider: aws, account: "{ACCOUNT}", region: eu-central-1, settleTime: 1s}}'
OWNER = f"""
{API}
kind: Owner
metadata: {{name: team}}
spec: {{type: team, displayName: Team, contact: {{email: team@example.com}}}}
"""
ROLE = f"""
{API}
kind: Role
metadata: {{name: reader}}
spec:
  owner: team
  description: May read
  local: {{permissions: [{{actions: [read], resources: ["db/*"]}}]}}
"""
AWS_ROLE = f"""
{API}
kind: Role
metadata: {{name: reader}}
spec:
  owner: team
  description: May read
  aws: {{statements: [{{sid: Read, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::shop/*"]}}]}}
"""
CONNECTION = f"""
{API}
kind: Connection
metadata: {{name: github}}
spec:
  owner: team
  issuer: {{githubActions: {{organization: example}}}}
  aws: {{audiences: [sts.amazonaws.com]}}
"""
NHI = f"""
{API}
kind: NHI
metadata: {{name: job, labels: {{team: shop}}}}
spec:
  type: workload
  owner: team
  service: shop
  purpose: Serves the shop
  tier: low
  environments: [test]
  identity: {{local: {{}}}}
  grants: [{{role: reader}}]
  credentials: {{kind: token, maxTtl: 1h}}
  lifecycle: {{reviewEvery: 90d, onRemove: delete}}
"""
AWS_NHI = NHI.replace("{local: {}}", "{githubActions: {repository: example/shop, branch: main}}").replace(
    "{role: reader}", "{role: reader, via: github}"
)


@dataclass(slots=True)
class Site:
    """A workspace, the home and the temporary folder of whoever works in it, and what must not get out of where."""

    shell: Shell
    home: Path
    planted: set[Path]
    logged: Callable[[], str]

    @property
    def root(self) -> Path:
        """The workspace."""
        return self.shell.root

    def write(self, name: str, text: str) -> Path:
        """Write a file that may hold a canary: it is not searched."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        self.planted.add(path)
        return path

    def workspace(self, target: str = LOCAL, *, ledger: str = "file:.nhictl/ledger", variables: str = "x: y") -> None:
        """Write nhictl.yaml."""
        self.write("nhictl.yaml", CONFIGURATION.format(api=API, target=target, ledger=ledger, vars=variables))

    def leaks(self) -> list[str]:
        """Return every canary in what commands said, logged and left behind."""
        files = files_below(self.root, self.home)
        texts = [("the output", "\n".join(self.shell.log).encode()), ("the log", self.logged().encode())]
        texts += [(str(p.relative_to(self.root.parent)), data) for p, data in files.items() if p not in self.planted]
        texts += [("a file name", str(p).encode()) for p in files]
        return found([(name, canary(name)) for name in NAMES], texts)

    def everything(self) -> None:
        """Run every command that looks at the workspace, in every format, and those that write, unasked."""
        sh, out = self.shell, str(self.root / "out")
        for shape in FORMATS:
            sh("validate", "-o", shape, "--debug", "--report", f"{shape}={out}.{shape}")
        sh("validate", "--debug", "-v", "--color", "always")
        for words in (["fmt", "--diff"], ["fmt", "--check"], ["plan", "-v"], ["plan", "-o", "json"]):
            sh(*words, "--debug")
        sh("plan", "--debug", "--out", f"{out}.plan", "--report", f"markdown={out}.md", "--report", f"json={out}.json")
        sh("apply", "--yes", "--debug", "-v")
        sh("apply", f"{out}.plan", "--debug", "-o", "json")
        sh("apply", "--yes", "-o", "jsonl", "--debug")
        sh("adopt", "nhi/job", "--yes", "--debug")
        sh("drift", "--debug", "-v")
        sh("drift", "--debug", "-o", "json")
        self.questions()

    def again(self) -> None:
        """Run the commands that read or change something once more."""
        for words in (["plan", "-v"], ["plan", "-o", "json"], ["apply", "--yes", "-v"], ["drift", "-v"]):
            self.shell(*words, "--debug")
        self.questions()

    def questions(self) -> None:
        """Ask the ledger and the doctor everything."""
        for shape in ("table", "json"):
            for words in (["audit", "log", "-v"], ["audit", "verify"], ["history", "job"], ["doctor"]):
                self.shell(*words, "-o", shape, "--debug")
            self.shell("ledger", "lock", "list", "-o", shape, "--debug")
            for number in range(6):
                self.shell("audit", "show", str(number), "-o", shape, "--debug")
        for shape in ("jsonl", "csv"):
            self.shell("audit", "export", "-o", shape, "--debug")
        for topic in ("NHI", "NHI.credentials", "E210", canary("command-line")):
            self.shell("explain", topic.replace(canary("command-line"), "nothing"), "--debug")


@pytest.fixture
def site(tmp_path, capfd, monkeypatch, caplog) -> Site:
    """An empty workspace; NHICTL_DEBUG is set and every logger says everything."""
    root, home = tmp_path / "work", tmp_path / "home"
    for folder in (root, home, home / "tmp"):
        folder.mkdir()
    for name in [n for n in os.environ if n.startswith(("NHICTL_", "GITHUB_", "CI", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": home, "TMPDIR": home / "tmp", "XDG_CACHE_HOME": home / "cache"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("NHICTL_DEBUG", "1")
    monkeypatch.chdir(root)
    caplog.set_level(logging.DEBUG)
    return Site(Shell(root, capfd, []), home, set(), lambda: caplog.text)


def test_there_are_enough_canaries_and_no_two_are_alike():
    """At least twenty, each found by itself alone."""
    values = [canary(name) for name in NAMES]

    assert len(set(values)) == len(NAMES) >= 20
    assert not any(a in b for a in values for b in values if a is not b)


@pytest.mark.parametrize("form", range(len(list(forms("x" * 24)))))
def test_the_search_finds_every_form(form):
    """A canary inside other text is found in each form, so that silence means something."""
    text = b'{"x": "' + list(forms(canary("label")))[form] + b'"}'

    assert found([("label", canary("label"))], [("text", text)]) == ["label in text"]


PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n      {0}\n      {0}\n      -----END OPENSSH PRIVATE KEY-----"
REFUSED = {
    "label": NHI.replace("team: shop", f"db-password: {canary('label')}"),
    "unknown-field": NHI.replace("  tier:", f"  password: {canary('unknown-field')}\n  teir: x\n  tier:"),
    "credentials-block": NHI.replace("maxTtl: 1h", f"value: {canary('credentials-block')}, maxTtll: 1h"),
    "key-in-list": NHI.replace("[{role: reader}]", f"[{{role: reader, apiKey: {canary('key-in-list')}}}, {{rol: x}}]"),
    "issuer-url": CONNECTION.replace(
        "{githubActions: {organization: example}}",
        f"{{oidc: {{url: 'https://bot:{canary('issuer-url')}@example.com'}}}}",
    ),
    "private-key-of-owner": OWNER.rstrip().replace(
        "spec: {type: team, displayName: Team, contact: {email: team@example.com}}",
        "spec:\n  type: teem\n  contact: {email: x}\n  sshKeys:\n    - |\n      "
        + PEM.format(canary("private-key-of-owner")),
    ),
    "policy-file": f"""
{API}
kind: Policy
metadata: {{name: no-tokens}}
spec: {{rule: "x != 'ghp_{canary("policy-file")}'", levle: hard}}
""",
    "multi-line": NHI.replace(
        "  tier: low",
        f'  tier: low\n  clientSecret: "{canary("multi-line")[:8]}\n    {canary("multi-line")}"\n  teir: x',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_secret_in_a_manifest_is_refused_and_never_repeated(site, name):
    """Every command refuses the workspace, says where, and shows nothing of the value; nothing keeps it."""
    site.workspace()
    for file, text in {"owner": OWNER, "role": ROLE, "nhi": NHI, "connection": CONNECTION}.items():
        site.write(f"manifests/{file}.yaml", text)
    site.write(f"manifests/{name}.yaml", REFUSED[name])

    checked = site.shell("validate", "--debug")
    site.everything()

    assert checked.code == Exit.INVALID
    assert "E210" in checked.out
    assert site.leaks() == []
    assert not (site.root / ".nhictl").exists()


@pytest.mark.parametrize("name", ["configuration", "ledger-url", "server-url"])
def test_a_secret_in_the_configuration_is_refused_and_never_repeated(site, name):
    """A credential in nhictl.yaml stops everything, also when another line beside it is wrong."""
    where = {
        "configuration": {"variables": f"db_password_old: {canary('configuration')}, x: [1]"},
        "ledger-url": {"ledger": f"postgresql://nhictl:{canary('ledger-url')}@db.example.com/ledger"},
        "server-url": {"target": f"directory: {{provider: local, path: x, url: 'https://a:{canary('server-url')}@b'}}"},
    }
    site.workspace(**where[name])
    site.write("manifests/owner.yaml", OWNER)

    checked = site.shell("validate", "--debug")
    site.everything()

    assert checked.code == Exit.INVALID
    assert "E210" in checked.out
    assert site.leaks() == []


def test_a_private_key_in_saml_metadata_is_refused(site):
    """Metadata is public; a file with a private key in it is somebody's mistake and stays where it is."""
    site.workspace(AWS)
    saml = CONNECTION.replace("{githubActions: {organization: example}}", "{saml: {metadataFile: idp.xml}}")
    site.write("manifests/owner.yaml", OWNER)
    site.write("manifests/connection.yaml", saml.replace("aws: {audiences: [sts.amazonaws.com]}", "aws: {}"))
    site.write("idp.xml", f"<x>-----BEGIN PRIVATE KEY-----{canary('saml-metadata')}-----END PRIVATE KEY-----</x>")

    checked = site.shell("validate", "--debug")
    site.shell("plan", "--debug", "--out", str(site.root / "out.plan"))

    assert (checked.code, "E509" in checked.out) == (Exit.INVALID, True)
    assert site.leaks() == []


def _surroundings(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant what a CI job has around it: variables, a remote with a token, an event, files beside the manifests."""
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    for words in (
        ["init", "-q"],
        ["remote", "add", "origin", f"https://x:{canary('git-remote')}@git.example.com/shop.git"],
    ):
        subprocess.run(["git", *words], cwd=site.root, check=True, env={**git, "HOME": str(site.home)})
    site.planted.add(site.root / ".git" / "config")
    event = site.write("event.json", json.dumps({"pull_request": {"number": 7}, "token": canary("event-payload")}))
    site.write("manifests/.env", f"PASSWORD={canary('neighbour-file')}")
    site.write("manifests/password.txt", canary("neighbour-file"))
    said = {
        "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_RUN_ID": "1",
        "GITHUB_REPOSITORY": "example/shop", "GITHUB_EVENT_PATH": str(event), "GITHUB_TOKEN": canary("github-token"),
        "GITHUB_SERVER_URL": f"https://x:{canary('server-url')}@github.example.com", "CI": "true",
        "CI_JOB_TOKEN": canary("ci-job-token"), "NHICTL_TOKEN": canary("nhictl-variable"),
        "AWS_SECRET_ACCESS_KEY": canary("aws-secret-key"), "AWS_SESSION_TOKEN": canary("aws-session-token"),
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(name, value)


def _signing_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = canary("ledger-key").encode().ljust(32, b"=")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    path = site.home / "ledger.pem"
    path.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    site.planted.add(path)
    monkeypatch.setenv("NHICTL_LEDGER_KEY", str(path))


def _local(site: Site) -> None:
    site.workspace()
    for file, text in {"owner": OWNER, "role": ROLE, "nhi": NHI}.items():
        site.write(f"manifests/{file}.yaml", text)
    site.planted.add(site.root / "directory.db")


def _behind(site: Site, *statements: tuple[str, tuple[Any, ...]]) -> None:
    db = sqlite3.connect(site.root / "directory.db", isolation_level=None)
    for statement, values in statements:
        db.execute(statement, values)
    db.close()


def test_nothing_of_the_surroundings_gets_out_of_a_life_of_a_workspace(site, monkeypatch):
    """Apply, foreign secrets in the directory, drift, healing, a crash and its recovery, removal: all of it clean."""
    _local(site)
    _surroundings(site, monkeypatch)
    _signing_key(site, monkeypatch)
    site.everything()
    secret = json.dumps({"kind": "password", "secret": canary("foreign-json")})
    _behind(
        site,
        ("ALTER TABLE identities ADD COLUMN password TEXT", ()),
        ("ALTER TABLE credentials ADD COLUMN value TEXT", ()),
        ("UPDATE identities SET password = ?", (canary("foreign-column"),)),
        ("UPDATE identities SET labels = ?", (json.dumps({"team": "other", "note": canary("live-tag")}),)),
        ("UPDATE identities SET credentials = ?", (secret,)),
    )
    drifted = site.shell("drift", "-v", "--debug")
    site.everything()
    site.write("manifests/nhi.yaml", NHI.replace("Serves", "Runs"))
    killed = site.shell.process("apply", "--yes", "--debug", NHICTL_FAILPOINT="after-call")
    site.again()
    (site.root / "manifests/nhi.yaml").unlink()
    site.again()
    last = site.shell("audit", "verify", "--debug")

    assert drifted.code == Exit.CHANGES
    assert killed.code == -9
    assert last.code == Exit.DONE
    assert site.leaks() == []


def test_a_key_instead_of_its_file_is_not_repeated(site, monkeypatch):
    """NHICTL_LEDGER_KEY with the key itself is refused without showing it."""
    _local(site)
    monkeypatch.setenv("NHICTL_LEDGER_KEY", f"-----BEGIN PRIVATE KEY-----\n{canary('ledger-key')}\n")
    refused = [site.shell("apply", "--yes", "--debug"), site.shell("doctor", "--debug")]
    monkeypatch.setenv("NHICTL_LEDGER_KEY", canary("ledger-key"))
    refused += [site.shell("apply", "--yes", "--debug"), site.shell("doctor", "--debug")]

    assert [r.code for r in refused] == [Exit.ERROR] * 4
    assert site.leaks() == []


def test_secrets_on_the_command_line_are_not_recorded(site):
    """An option nobody knows is refused without its value; values of options are in no record."""
    _local(site)
    secret = canary("command-line")
    wrong = [
        site.shell("plan", "--token", secret, "--debug"),
        site.shell("apply", f"--token={secret}", "--debug"),
        site.shell("plan", f"-p{secret}", "--debug"),
        site.shell("--token", secret, "plan"),
    ]
    site.shell("apply", "--yes", "--debug", "--report", f"markdown={site.home}/tmp/r.md")
    site.shell("ledger", "lock", "break", "--debug", "--reason=none")
    site.write("manifests/nhi.yaml", NHI.replace("Serves", "Runs"))
    site.shell("apply", "--yes", "--override-safety", secret, "--debug")
    site.questions()

    assert [said.code for said in wrong] == [Exit.USAGE] * 4
    assert site.leaks() == []


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["drift"], ["doctor"]])
def test_a_defect_shows_where_and_not_what(site, monkeypatch, command):
    """A traceback names frames and types; the message of an error, and of its cause, may hold a value."""
    _local(site)

    def broken(*_: object) -> None:
        try:
            raise KeyError(canary("defect"))
        except KeyError as error:
            raise RuntimeError(f"password {canary('defect')} refused") from error

    monkeypatch.setattr(LocalSession, "read", broken)
    monkeypatch.setattr(LocalSession, "identity", broken)
    said = site.shell(*command, "--debug")

    assert said.code == Exit.ERROR
    assert "RuntimeError" in said.out + said.err
    assert site.leaks() == []


@pytest.fixture
def cloud(site, strict: Strict, aws_env, monkeypatch) -> Site:
    """A workspace for the account behind the strict layer, reached with canaries as credentials."""
    from botocore.retries.standard import ExponentialBackoff

    monkeypatch.setattr("nhictl.providers.aws.adapter.adapter", AwsAdapter(sleep=lambda _: None))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    site.workspace(AWS)
    files = {"owner": OWNER, "role": AWS_ROLE, "nhi": AWS_NHI, "connection": CONNECTION}
    for file, text in files.items():
        site.write(f"manifests/{file}.yaml", text)
    _surroundings(site, monkeypatch)
    return site


def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service put a secret into every reply, as CreateAccessKey does, and into headers."""
    real, secret = Strict.handle, canary("provider-reply")

    def handle(strict: Strict, request: Any) -> Reply | None:
        reply = real(strict, request)
        if reply is None:
            return None
        extra = f"<AccessKey><SecretAccessKey>{secret}</SecretAccessKey></AccessKey></".encode()
        body = reply.body.replace(b"Result></", b"Result>" + extra, 1)
        return Reply(reply.status, body, (*reply.headers, ("x-amz-debug", secret)))

    monkeypatch.setattr(Strict, "handle", handle)


def _iam() -> Any:
    import boto3

    return boto3.client("iam", region_name="eu-central-1")


def test_nothing_gets_out_of_a_life_in_aws(cloud, strict, monkeypatch):
    """Talkative replies, foreign tags, throttles, lost replies, echoing errors, a kill: all of it clean."""
    _talkative(monkeypatch)
    cloud.everything()
    _iam().tag_role(
        RoleName="job", Tags=[{"Key": "db", "Value": canary("live-tag")}, {"Key": "team", "Value": "other"}]
    )
    drifted = cloud.shell("drift", "-v", "--debug")
    said = f"value {canary('provider-error')} is not valid"
    echo = Fault("refuse", "*Role*", 1, changing=True, status=400, code="ValidationError", message=said)
    with strict.fault(echo, throttle(2), Fault("lose", "Tag*", 1)):
        failed = cloud.shell("apply", "--yes", "--debug", "-v")
    cloud.again()
    cloud.write("manifests/nhi.yaml", AWS_NHI.replace("Serves", "Runs"))
    killed = cloud.shell.process("apply", "--yes", "--debug", NHICTL_FAILPOINT="after-call")
    cloud.again()
    (cloud.root / "manifests/nhi.yaml").unlink()
    digest = json.loads(cloud.shell("plan", "-o", "json").out)["digest"]
    removed = cloud.shell("apply", "--yes", "--debug", "-v", "--override-safety", digest)
    cloud.questions()

    assert drifted.code == Exit.CHANGES
    assert failed.code in (Exit.ERROR, Exit.PARTIAL)
    assert killed.code == -9
    assert removed.code == Exit.DONE
    assert cloud.leaks() == []


@pytest.mark.parametrize("fault", ["denied", "echo", "process", "file", "profile"])
def test_failing_credentials_say_nothing_about_themselves(cloud, strict, monkeypatch, fault):
    """Refused keys, a broken file, a failing credential process, an unknown profile: exit code 4, no material."""
    aws = cloud.home / ".aws"
    aws.mkdir()
    keys = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {canary('credentials-file')}\n"
    process = f'sh -c "echo {canary("credential-process")} >&2; echo {canary("credential-process")}; exit 1"'
    (aws / "credentials").write_text(("[default]\n" if fault != "file" else "") + keys)
    (aws / "config").write_text(f"[profile helper]\ncredential_process = {process}\n")
    cloud.planted |= {aws / "credentials", aws / "config"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(aws / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(aws / "config"))
    if fault in ("process", "profile"):
        monkeypatch.setenv("AWS_PROFILE", "helper" if fault == "process" else "nobody")
    said = f"The key {canary('credentials-file')} and {canary('provider-error')} are not valid"
    code = "InvalidClientTokenId" if fault == "denied" else "SignatureDoesNotMatch"
    refusal = Fault("refuse", times=10_000, status=403, code=code, message=said)
    with strict.fault(refusal):
        codes = [cloud.shell(*words, "--debug").code for words in (["plan"], ["apply", "--yes"], ["drift"], ["doctor"])]
    cloud.shell("plan", "-o", "json", "--debug")

    assert codes == [Exit.AUTH] * 4
    assert cloud.leaks() == []
