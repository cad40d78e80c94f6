"""Write workspaces of any size: owners, roles and NHIs for the embedded directory or for AWS."""

from __future__ import annotations

from pathlib import Path

_WORKSPACE = """apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {{name: bench}}
spec:
  manifests: [manifests/]
  ledger: file:.nhictl/ledger
  environments:
    prod:
      targets:
        {target}
"""
_LOCAL = "directory: {provider: local, path: .nhictl/directory.db}"
_AWS = 'aws-prod: {provider: aws, account: "123456789012", region: eu-central-1, settleTime: 1s}'

_OWNER = """apiVersion: nhictl.dev/v1alpha1
kind: Owner
metadata: {{name: team-{n}}}
spec:
  type: team
  displayName: Team {n}
  contact: {{email: team-{n}@example.com}}
"""
_LOCAL_ROLE = """apiVersion: nhictl.dev/v1alpha1
kind: Role
metadata: {{name: role-{n}}}
spec:
  owner: team-{owner}
  description: What service {n} needs
  local:
    permissions:
      - {{actions: [service/read, service/update], resources: [service/s{n}, queue/s{n}]}}
"""
_NHI = """apiVersion: nhictl.dev/v1alpha1
kind: NHI
metadata:
  name: nhi-{n}
  labels:
    team: team-{owner}
    cost-center: "{n}"
spec:
  type: {type}
  owner: team-{owner}
  service: service-{n}
  purpose: Runs service {n}, deployed nightly
  tier: medium
  dataSensitivity: internal
  environments: [prod]
  identity:
    {identity}
  grants:
    - {grant}
  credentials:
    kind: {credentials}
    maxTtl: 1h
  lifecycle:
    reviewEvery: 180d
    onRemove: disable
    deleteAfter: 30d
"""
_AWS_ROLE = """apiVersion: nhictl.dev/v1alpha1
kind: Role
metadata: {{name: role-{n}}}
spec:
  owner: team-{owner}
  description: What service {n} needs
  aws:
    inline: true
    statements:
      - sid: Read
        actions: [s3:GetObject, s3:ListBucket]
        resources: ["arn:aws:s3:::service-{n}", "arn:aws:s3:::service-{n}/*"]
"""
_CONNECTION = """apiVersion: nhictl.dev/v1alpha1
kind: Connection
metadata: {name: github}
spec:
  owner: team-0
  issuer: {githubActions: {organization: example}}
  aws: {audiences: [sts.amazonaws.com]}
"""


def workspace(root: Path, count: int, provider: str = "local") -> Path:
    """Write a workspace with `count` NHIs, one file each, a role for every tenth, an owner for every hundredth."""
    aws = provider == "aws"
    _write(root / "nhictl.yaml", _WORKSPACE.format(target=_AWS if aws else _LOCAL))
    for n in range(max(1, count // 100)):
        _write(root / f"manifests/owners/{n}.yaml", _OWNER.format(n=n))
    for n in range(max(1, count // 10)):
        role = _AWS_ROLE if aws else _LOCAL_ROLE
        _write(root / f"manifests/roles/{n}.yaml", role.format(n=n, owner=n * 10 // 100 % max(1, count // 100)))
    if aws:
        _write(root / "manifests/connection.yaml", _CONNECTION)
    for n in range(count):
        _write(root / f"manifests/nhis/{n // 1000}/{n}.yaml", nhi(n, count, aws=aws))
    return root


def nhi(n: int, count: int, *, aws: bool = False, purpose: str = "") -> str:
    """Return the manifest of NHI `n` of `count`."""
    role = f"role-{n // 10 % max(1, count // 10)}"
    text = _NHI.format(
        n=n,
        owner=n // 100 % max(1, count // 100),
        type="workload" if aws else "service-account",
        identity=f"githubActions: {{repository: example/repo-{n}, environment: prod}}" if aws else "local: {}",
        grant=f"{{role: {role}, via: github}}" if aws else f"role: {role}",
        credentials="federated" if aws else "token",
    )
    return text.replace(f"Runs service {n}, deployed nightly", purpose) if purpose else text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
