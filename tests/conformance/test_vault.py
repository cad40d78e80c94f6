"""Vault passes the conformance suite: the real server behind the fault layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change
from nhictl.providers.base import Scope
from nhictl.providers.vault.adapter import VaultAdapter, adapter
from tests.conformance.suite import Case, Conformance
from tests.servers.http_faults import Fault, throttle
from tests.servers.vault import Vault

pytest_plugins = ("tests.servers.vault",)

_KEY = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
        q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
        -----END PUBLIC KEY-----
"""
_CA = """
        -----BEGIN CERTIFICATE-----
        MIIBjTCCATOgAwIBAgIUbf2SqPt5iiE9WmXZ9k4jYzma41YwCgYIKoZIzj0EAwIw
        GzEZMBcGA1UEAwwQa3ViZS5leGFtcGxlLmNvbTAgFw0yNjExMjIwNDA3NThaGA8y
        MTI2MTAyOTA0MDc1OFowGzEZMBcGA1UEAwwQa3ViZS5leGFtcGxlLmNvbTBZMBMG
        ByqGSM49AgEGCCqGSM49AwEHA0IABELdLVeGX2qCYGOstFbsL6TFQOnus/A+rkDr
        ks5f/7hrPsbgzUCax2KRllwWDt/nw/ld+Yx/+yklDWd3n7LkqCejUzBRMB0GA1Ud
        DgQWBBQyGUL85wx0iK7xN+fBXepcq9u3izAfBgNVHSMEGDAWgBQyGUL85wx0iK7x
        N+fBXepcq9u3izAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDnp
        QqRYiUa3uQ12s5oyJIhlVUz7UGheEoH4xnyd+brOAiEAxYANnKQ+Hk7Iinf85Qx4
        vDQry7E3pcv5AHY+TyL7cY0=
        -----END CERTIFICATE-----
"""
_ROLES = """
kind: Role
metadata: {name: payments-read, labels: {team: payments, "cost.center": "4711"}}
spec:
  owner: payments
  vault:
    paths:
      - {path: kv/data/payments/*, capabilities: [read, list]}
      - {path: "kv/+/shared", capabilities: [read]}
    tokenTtl: 15m
    tokenMaxTtl: 1h
---
kind: Role
metadata: {name: payments-write}
spec:
  vault:
    paths: [{path: kv/data/payments/*, capabilities: [update, create]}]
    policies: [payments-read]
    tokenTtl: 30m
"""
_APPROLE = (
    _ROLES
    + """
---
kind: Role
metadata: {name: limited}
spec:
  vault:
    attach: token
    policy: |
      path "kv/data/limited" {
        capabilities = ["update"]
        allowed_parameters = { "a" = ["b"] }
      }
---
kind: Connection
metadata: {name: approles}
spec:
  description: Machines of the data centre
  vault: {mount: machines/approle, type: approle, maxTtl: 4h}
---
kind: NHI
metadata: {name: payments-batch, labels: {cost-center: "4711"}}
spec:
  type: workload
  owner: payments
  purpose: Nightly batch
  identity:
    approle:
      mount: machines/approle
      settings: {secret_id_ttl: 10d, secret_id_bound_cidrs: [10.0.0.0/8, 127.0.0.1/32]}
  grants: [{role: payments-read, via: approles}, {role: payments-write}, {role: limited}]
"""
)
_APPROLE_CHANGED = (
    _APPROLE.replace("[update, create]", "[patch]")
    .replace('cost-center: "4711"', 'cost-center: "4712", team: a')
    .replace("secret_id_ttl: 10d", "secret_id_ttl: 5d, secret_id_num_uses: 3")
    .replace('["b"]', '["b", "c"]')
    .replace("maxTtl: 4h", "maxTtl: 8h")
    .replace("tokenTtl: 15m", "tokenTtl: 10m")
)
_APPROLE_NARROWED = _APPROLE_CHANGED.replace(", {role: payments-write}", "")
_JWT = (
    _ROLES
    + f"""
---
kind: Connection
metadata: {{name: github}}
spec:
  description: GitHub Actions of example
  issuer: {{githubActions: {{organization: example}}}}
  vault:
    mount: jwt-github
    audiences: [https://vault.example.com, second]
    publicKeys:
      - |{_KEY}
---
kind: NHI
metadata: {{name: payments-ci}}
spec:
  type: workload
  owner: payments
  purpose: Deploy payments
  identity: {{githubActions: {{repository: example/payments, environment: prod}}}}
  grants: [{{role: payments-read, via: github}}, {{role: payments-write, via: github}}]
---
kind: NHI
metadata: {{name: payments-test}}
spec:
  type: workload
  owner: payments
  purpose: Test payments
  identity: {{githubActions: {{repository: example/payments, branch: main}}}}
  grants: [{{role: payments-read}}]
"""
)
_JWT_CHANGED = (
    _JWT.replace("environment: prod", "environment: staging")
    .replace("https://vault.example.com, second", "https://vault.example.com")
    .replace("GitHub Actions of example", "GitHub Actions")
)
_KUBERNETES = (
    _ROLES
    + f"""
---
kind: Connection
metadata: {{name: cluster}}
spec:
  vault:
    mount: kubernetes
    type: kubernetes
    kubernetesHost: "https://kube.example.com:6443"
    disableLocalCa: true
    caCertificate: |{_CA}
---
kind: NHI
metadata: {{name: payments-pod}}
spec:
  type: workload
  owner: payments
  purpose: Serve payments
  identity: {{kubernetes: {{namespace: payments, serviceAccount: api}}}}
  grants: [{{role: payments-read, via: cluster}}]
"""
)
_KUBERNETES_CHANGED = _KUBERNETES.replace("serviceAccount: api", "serviceAccount: worker").replace(":6443", ":443")
_DATABASE = (
    _APPROLE
    + """
---
kind: Connection
metadata: {name: ledger-db}
spec:
  description: The ledger
  vault:
    mount: db/ledger
    type: database
    database:
      name: ledger
      connectionUrl: "postgresql://{{username}}:{{password}}@db.example.com:5432/ledger"
      username: vault
      allowedRoles: [readonly, writer]
      passwordFrom: env:NHICTL_TEST_DATABASE_PASSWORD
"""
)
_DATABASE_CHANGED = (
    _DATABASE.replace("[readonly, writer]", "[readonly]")
    .replace("username: vault", "username: vault-two")
    .replace("DATABASE_PASSWORD", "DATABASE_PASSWORD\n      passwordVersion: 2")
)
_RAW = """
kind: Role
metadata: {name: legacy}
spec: {vault: {attach: token, policies: [legacy-one, legacy-two]}}
---
kind: Role
metadata: {name: plain}
spec: {vault: {attach: entity, paths: [{path: kv/data/plain, capabilities: [read]}]}}
---
kind: Connection
metadata: {name: approles}
spec: {vault: {mount: approle, type: approle}}
---
kind: NHI
metadata: {name: by-hand}
spec:
  type: workload
  owner: payments
  purpose: Was made by hand
  identity: {approle: {entity: false, settings: {token_policies: [one], bind_secret_id: true}}}
  grants: [{role: legacy}]
---
kind: NHI
metadata: {name: no-login}
spec:
  type: workload
  owner: payments
  purpose: An entity only
  identity: {vaultEntity: {entityPolicies: [special]}}
  grants: [{role: plain}]
"""
_RAW_CHANGED = _RAW.replace("token_policies: [one]", "token_policies: [TWO]").replace("[special]", "[other]")


def _ordered(value: object) -> object:
    """Return plain data with every list sorted: Vault gives most in no order."""
    if isinstance(value, dict):
        return {key: _ordered(item) for key, item in value.items()}
    return sorted(map(_ordered, value), key=str) if isinstance(value, list) else value


@dataclass(slots=True)
class VaultSubject:
    """An empty Vault behind the fault layer."""

    vault: Vault
    target: Target
    adapter: VaultAdapter

    def mutations(self) -> int:
        """What the fault layer counted."""
        return self.vault.faults.count(changing=True)

    def state(self) -> object:
        """Everything Vault holds about access, asked behind the fault layer."""
        ask, keys = self.vault.call, self.vault.listed
        auth = ask("GET", "sys/auth")["data"]
        mounts = ask("GET", "sys/mounts")["data"]
        roles = {f"{m}role/{r}" for m in auth if m != "token/" for r in keys(f"auth/{m}role")}
        approles = {r for r in roles if auth[r.rpartition("role/")[0]]["type"] == "approle"}
        return _ordered(
            [
                auth,
                mounts,
                {p: ask("GET", f"sys/policies/acl/{p}")["data"] for p in keys("sys/policies/acl") if p != "root"},
                {i: ask("GET", f"identity/entity/id/{i}")["data"] for i in keys("identity/entity/id")},
                {i: ask("GET", f"identity/group/id/{i}")["data"] for i in keys("identity/group/id")},
                {r: ask("GET", f"auth/{r}")["data"] for r in sorted(roles)},
                {r: ask("GET", f"auth/{r}/role-id")["data"] for r in sorted(approles)},
                {
                    m: (ask("GET", f"auth/{m}config") or {}).get("data")
                    for m, said in auth.items()
                    if said["type"] in ("jwt", "kubernetes")
                },
            ]
        )

    def make_foreign(self) -> Address:
        """Make an AppRole by hand."""
        self.vault.call("POST", "sys/auth/foreign", {"type": "approle"})
        self.vault.call("POST", "auth/foreign/role/theirs", {"token_policies": ["theirs"], "policies": ["theirs"]})
        return Address(self.target.name, "auth-role", "foreign/theirs")

    def losing_a_reply(self) -> AbstractContextManager[None]:
        """Carry out the next change and close the connection."""
        return self.vault.faults.fault(Fault("lose", changing=True))

    def throttling(self, calls: int) -> AbstractContextManager[None]:
        """Answer changes with 429."""
        return self.vault.faults.fault(replace(throttle(calls), changing=True))

    def broken_read(self) -> AbstractContextManager[None]:
        """Cut every listing in the middle."""
        return self.vault.faults.fault(Fault("cut", method="LIST", times=1000, keep=20))

    def settling(self) -> None:
        """Vault answers when it is done."""

    def elsewhere(self) -> Target:
        """The same address, of which another cluster is expected."""
        other = "00000000-0000-0000-0000-000000000000"
        return replace(self.target, settings={**self.target.settings, "clusterId": other})

    @contextmanager
    def leaks(self, secret: str) -> Iterator[Iterable[Change]]:
        """The secret is a database's password, the token's own text, and in every refusal's."""
        with self.adapter.connect(self.target, write=False) as opened:
            kinds = {k for k, v in self.adapter.capabilities.kinds.items() if v.identity}
            live = [r for r in opened.read(Scope(details=True)) if r.address.kind in kinds and r.attributes]
        changes = []
        for found in live:
            after = replace(found, attributes={**found.attributes, "metadata": {"changed": "1"}, "token_num_uses": 7})
            changes.append(
                Change(
                    found.address, Action.UPDATE, "nhi/x", "test", native_id=found.native_id, before=found, after=after
                )
            )
        said = Fault("refuse", changing=True, times=1000, status=400, body={"errors": [f"no: {secret}"]})
        with pytest.MonkeyPatch.context() as patch, self.vault.faults.fault(said):
            patch.setenv("NHICTL_TEST_DATABASE_PASSWORD", secret)
            yield changes


@pytest.fixture()
def subject(
    vault: Vault, vault_env: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> VaultSubject:
    """A Vault with nothing in it."""
    monkeypatch.setenv("NHICTL_TEST_DATABASE_PASSWORD", "not-a-secret-for-tests-only")
    target = Target("vault-test", "vault", {"address": vault.url, "plainHttp": True}, tmp_path)
    return VaultSubject(vault, target, replace(adapter, sleep=lambda _: None))


class TestVault(Conformance):
    """Everything the suite asks, over HTTP."""

    cases = (
        Case("approle", (_APPROLE, _APPROLE_CHANGED, _APPROLE_NARROWED)),
        Case("jwt", (_JWT, _JWT_CHANGED)),
        Case("kubernetes", (_KUBERNETES, _KUBERNETES_CHANGED)),
        Case("database", (_DATABASE, _DATABASE_CHANGED)),
        Case("raw", (_RAW, _RAW_CHANGED)),
    )
