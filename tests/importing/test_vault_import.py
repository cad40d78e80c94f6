"""Importing a Vault that people and scripts filled: everything that is legal there, as odd as it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commandline import Shell
from tests.importing.suite import brought_under_management, files, imported, shell_ok, workspace
from tests.servers.vault import Vault
from tests.support import THOUSANDS

KEY = (
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
    "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----"
)
COMMENTED = """# Asked for in SEC-12; ask before you widen it.

path "kv/data/shop/*" { capabilities = ["read", "list"] }   // the shop reads
/* and no more */
path "kv/data/shop/plain" {
  capabilities = ["deny"]
}
"""
JSON = '{"path": {"kv/data/legacy": {"policy": "write"}}}'
# JSON has no place for a comment, so the mark makes it HCL of the same meaning
AS_HCL = 'path "kv/data/legacy" {\n  capabilities = ["create", "delete", "list", "read", "update"]\n}\n'
POLICIES = {
    "shop": COMMENTED,
    "Legacy_Write": JSON,
    "limited": (
        'path "kv/data/limited" {\n  # one field\n  capabilities = ["update"]\n'
        '  allowed_parameters = { "a" = ["b"], "*" = [] }\n  min_wrapping_ttl = "1m"\n}\n'
    ),
    "templated": 'path "kv/data/{{identity.entity.id}}/*" { capabilities = ["create", "read"] }',
    "spaces": 'path "kv/data/a b ü" { capabilities = ["read"] }\r\npath "tab\\t" { capabilities = ["list"] }',
    "team/app.read": 'path "team" { capabilities = ["read"] }',
    "dollar": 'path "kv/data/${env.name}" { capabilities = ["read"] }',
    "heredoc": 'path "x" {\n  capabilities = ["read"]\n  comment = <<EOT\n${vars.a}\nEOT\n}\n',
    "empty": "# nothing yet",
    "shared": 'name = "shared"\npath "shared" { capabilities = ["deny"] }\npath "shared" { policy = "read" }',
    "wide": "\n".join(f'path "wide/{n}" {{ capabilities = ["read"] }}' for n in range(300)),
}
_CA = Path(__file__).parent.parent / "providers" / "vault" / "ca.pem"
_HEADER = re.compile(r"\A# Written by nhictl[^\n]*\n(?:# nhictl_\w+ = [^\n]*\n)+")
_COUNTERS = ("last_update_time", "modify_index", "modified")
_BRACKET = re.compile(r"\s*\[nhictl owner=[^\]]*\]")


class Cluster:
    """A Vault that somebody else filled."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.target = {"provider": "vault", "address": vault.url, "plainHttp": True}

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Write to a path and return the data of the reply."""
        said = self.vault.call("POST", path, body) or {}
        return dict(said.get("data") or {})

    def policy(self, name: str, text: str) -> None:
        """Write a policy."""
        self.post(f"sys/policies/acl/{name}", policy=text)

    def entity(self, name: str, *aliases: tuple[str, str], **body: Any) -> str:
        """Make an entity with aliases (mount, name) and return its id."""
        made = str(self.post("identity/entity", name=name, **body)["id"])
        auth = self.vault.call("GET", "sys/auth")["data"] if aliases else {}
        for mount, alias in aliases:
            at = auth[f"{mount}/"]["accessor"]
            self.post("identity/entity-alias", name=alias, canonical_id=made, mount_accessor=at)
        return made

    def role_id(self, mount: str, name: str) -> str:
        """Return the role_id of an AppRole."""
        return str(self.vault.call("GET", f"auth/{mount}/role/{name}/role-id")["data"]["role_id"])

    def groups(self) -> dict[str, Any]:
        """Return every group by id."""
        ask = self.vault.call
        return {i: ask("GET", f"identity/group/id/{i}")["data"] for i in self.vault.listed("identity/group/id")}

    def seed(self, number: int) -> None:
        """Make `number` AppRoles as a script does it, every second with an entity, every tenth in a group."""
        self.post("sys/auth/approle", type="approle", description="Machines")
        at = self.vault.call("GET", "sys/auth")["data"]["approle/"]["accessor"]
        policies = max(1, number // 20)
        for n in range(policies):
            text = f'path "kv/data/team-{n}/*" {{ capabilities = ["read"] }}'
            self.policy(f"team-{n}", f"# Team {n}\n{text}")

        def made(n: int) -> str:
            held = f"team-{n % policies}"
            self.post(f"auth/approle/role/job_{n}", token_policies=[held], token_ttl=f"{20 + n % 3}m")
            if n % 2:
                return ""
            entity = str(self.post("identity/entity", name=f"job_{n}", metadata={"cost": str(n)})["id"])
            alias = self.role_id("approle", f"job_{n}")
            self.post("identity/entity-alias", name=alias, canonical_id=entity, mount_accessor=at)
            return entity

        with ThreadPoolExecutor(8) as pool:
            found = [e for e in pool.map(made, range(number)) if e]
        self.policy("night", 'path "kv/data/night" { capabilities = ["read"] }')
        self.post("identity/group", name="night", policies=["night"], member_entity_ids=found[::5])

    def live(self) -> Any:
        """Return all that the server says about access, without nhictl's marks and the times of changes."""
        ask, keys = self.vault.call, self.vault.listed
        auth, mounts = ask("GET", "sys/auth")["data"], ask("GET", "sys/mounts")["data"]
        below = [
            f"auth/{mount}{part}/{name}"
            for mount, said in auth.items() if mount != "token/"
            for part in (("users", "role") if said["type"] == "userpass" else ("role",))
            for name in keys(f"auth/{mount}{part}")
        ]  # fmt: skip
        below += [
            f"{p}/role-id" for p in below if "/role/" in p and auth[p[5:].rpartition("role/")[0]]["type"] == "approle"
        ]
        below += [
            f"auth/{mount}config" for mount, said in auth.items() if said["type"] in ("jwt", "oidc", "kubernetes")
        ]
        below += [f"sys/policies/acl/{name}" for name in keys("sys/policies/acl") if name != "root"]
        for kind in ("entity", "group", "entity-alias", "group-alias"):
            below += [f"identity/{kind}/id/{name}" for name in keys(f"identity/{kind}/id")]
        for mount, said in mounts.items():
            parts = ("config", "roles", "static-roles") if said["type"] == "database" else ()
            below += [f"{mount}{part}/{name}" for part in parts for name in keys(f"{mount}{part}")]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda path: (ask("GET", path) or {}).get("data"), below))
        secrets = {
            path: len(keys(f"{path}/secret-id"))
            for path in below if path.startswith("auth/approle/role/") and not path.endswith("/role-id")
        }  # fmt: skip
        whole = {"auth": auth, "mounts": mounts, "secret-ids": secrets, **dict(zip(below, found, strict=True))}
        return dict(_leaves(_plain(whole)))


class Odd(Cluster):
    """A Vault with everything that people do there."""

    def seed(self, number: int) -> None:
        """Make all sorts of things; `number` is not looked at."""
        for name, text in POLICIES.items():
            self.policy(name, text)
        self._mounts()
        self._approles()
        self._federated()
        self._identities()
        self._databases()

    def _mounts(self) -> None:
        self.post("sys/auth/approle", type="approle", description="Machines: of the\nold data centre")
        self.post(
            "sys/auth/data/centre 2", type="approle", config={"default_lease_ttl": "90m", "max_lease_ttl": "1000h"}
        )
        self.post("sys/auth/people", type="userpass", config={"listing_visibility": "unauth"})
        self.post("auth/people/users/anna", password="not-a-secret-for-tests-only", token_policies=["shop"])
        self.post(
            "sys/auth/team/jwt", type="jwt", config={"max_lease_ttl": "36h", "audit_non_hmac_request_keys": "jwt"}
        )
        self.post(
            "auth/team/jwt/config", jwt_validation_pubkeys=[KEY], default_role="any", bound_issuer="https://sso.example.com",
            jwt_supported_algs=["ES256", "RS256"],
        )  # fmt: skip
        self.post("sys/auth/unconfigured", type="jwt")
        self.post("sys/auth/sso", type="oidc", description="[people] with ${env.name} #1")
        self.post("auth/sso/config", jwt_validation_pubkeys=[KEY], provider_config={}, namespace_in_state=False)
        self.post("sys/auth/cluster", type="kubernetes", local=True)
        self.post(
            "auth/cluster/config", kubernetes_host="https://kube.example.com", token_reviewer_jwt=_TOKEN,
            kubernetes_ca_cert=_CA.read_text(), disable_local_ca_jwt=True, issuer="https://kube.example.com",
            disable_iss_validation=False,
        )  # fmt: skip
        self.post("sys/auth/bare-cluster", type="kubernetes")

    def _approles(self) -> None:
        role = "auth/approle/role"
        self.post(f"{role}/plain", token_policies="shop,default", token_ttl="20m")
        self.post(f"{role}/deprecated", policies="Legacy_Write", period="1h")
        self.post(
            f"{role}/Full.Options_1", token_policies=["limited", "gone"], secret_id_ttl="36h",
            secret_id_bound_cidrs="10.0.0.1/32,10.1.0.0/16", token_bound_cidrs=["127.0.0.1/32", "::1/128"],
            token_type="batch", secret_id_num_uses=3, token_no_default_policy=True, token_explicit_max_ttl=3661,
        )  # fmt: skip
        self.post(f"{role}/no-policy", bind_secret_id=False, secret_id_bound_cidrs="10.0.0.0/8")
        self.post(f"{role}/local-ids", token_policies=["shop"], local_secret_ids=True)
        self.post(f"{role}/own-id", token_policies=["shop"])
        self.post(f"{role}/own-id/role-id", role_id="chosen by a person")
        self.post("auth/data/centre 2/role/plain", token_policies=["shop", "templated"], token_num_uses=5)
        for name in ("plain", "own-id"):
            self.post(f"{role}/{name}/secret-id", metadata='{"who": "anna"}')
        self._login("plain")

    def _login(self, name: str) -> None:
        """Log in once: Vault makes an entity of its own."""
        secret = self.post(f"auth/approle/role/{name}/secret-id")["secret_id"]
        self.post("auth/approle/login", role_id=self.role_id("approle", name), secret_id=secret)

    def _federated(self) -> None:
        role = "auth/team/jwt/role"
        common = {"role_type": "jwt", "user_claim": "sub", "token_policies": ["shared"]}
        claims = {"project": ["a/*", "b"], "ref": "refs/heads/*"}
        self.post(f"{role}/any", **common, bound_claims=claims, bound_claims_type="glob", groups_claim="groups")
        self.post(f"{role}/one", **common, bound_claims={"flag": True, "n": 7, "text": "true"}, clock_skew_leeway=-1)
        self.post(
            f"{role}/exact", **{**common, "user_claim": "email"}, bound_subject="s", bound_audiences=["a", "b,c"],
            claim_mappings={"/a/b": "c"}, user_claim_json_pointer=True, token_ttl=90,
            bound_claims={"email": "x@example.com"},
        )  # fmt: skip
        self.post(
            "auth/sso/role/people", user_claim="sub", allowed_redirect_uris=["http://localhost:8250/oidc/callback"],
            role_type="oidc", oidc_scopes=["email"], token_policies=["shop"],
        )  # fmt: skip
        for name, spaces in (("one", "shop"), ("many", "shop,night"), ("all", "*")):
            self.post(
                f"auth/cluster/role/{name}", bound_service_account_names="api", token_policies=["shop"],
                bound_service_account_namespaces=spaces, alias_name_source="serviceaccount_name",
                audience="vault" if name == "one" else "",
            )  # fmt: skip

    def _identities(self) -> None:
        named = self.entity(
            "named", ("approle", self.role_id("approle", "own-id")), ("people", "named"), ("team/jwt", "someone"),
            policies=["shared", "templated"], metadata={"team": "x", "a/b=c+d": "ü: ${env.name}", "cost": ""},
        )  # fmt: skip
        lone = self.entity('Lone "Robot" / ü', policies=["templated", "gone"], disabled=True)
        anna = self.entity("anna", ("people", "anna"), metadata={"mail": "anna@example.com"})
        one = self.entity("Api", ("cluster", "shop/api"), policies=["shop"])
        team = self.post(
            "identity/group", name="team/app.read", policies=["team/app.read", "shared"], member_entity_ids=[named]
        )
        hollow = self.post("identity/group", name="hollow", member_entity_ids=[lone, anna], metadata={"why": "later"})
        nested = [team["id"], hollow["id"]]
        self.post(
            "identity/group",
            name="Parents",
            policies=["shop", "Gone"],
            member_group_ids=nested,
            member_entity_ids=[one],
        )
        outside = self.post("identity/group", name="outside", type="external", policies=["shop"])
        at = self.vault.call("GET", "sys/auth")["data"]["team/jwt/"]["accessor"]
        self.post("identity/group-alias", name="devs", mount_accessor=at, canonical_id=outside["id"])

    def _databases(self) -> None:
        self.post("sys/mounts/db", type="database", description="Ledger", config={"max_lease_ttl": "8h"})
        self.post("sys/mounts/db-empty", type="database", options={"x": "y"})
        common = {"plugin_name": "postgresql-database-plugin", "verify_connection": False, "username": "vault"}
        secret = "not-a-secret-for-tests-only"
        self.post(
            "db/config/ledger", **common, password=secret, allowed_roles=["readonly", "*"], max_open_connections=9,
            connection_url="postgresql://{{username}}:{{password}}@db.example.com:5432/ledger?sslmode=disable",
            username_template="v_{{.RoleName}}_{{unix_time}}",
        )  # fmt: skip
        self.post("db/config/inline", **common, connection_url=f"postgresql://vault:{secret}@db.example.com/x")
        statement = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
        self.post("db/roles/readonly", db_name="ledger", creation_statements=[statement], default_ttl="1h")


# what Kubernetes would sign: an unsigned token of nobody
_TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ."


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        # OpenBao counts the writes of a policy
        counters = (*_COUNTERS, "version") if "policy" in value else _COUNTERS
        found = {k: _plain(v, k) for k, v in value.items() if not k.startswith("nhictl_") and k not in counters}
        return {k: v or None if k.endswith("metadata") else v for k, v in found.items()}
    if isinstance(value, list):
        return sorted((_plain(v) for v in value), key=str)
    if key == "description":
        return _BRACKET.sub("", str(value))
    return _HEADER.sub("", value).replace(JSON, AS_HCL) if isinstance(value, str) else value


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value with its path, so that a difference is told by its path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{path}/{key}")
    else:
        yield path, repr(value)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], vault_env: Mapping[str, str]) -> Shell:
    """A command line in an empty workspace."""
    return Shell(tmp_path, capsys, [])


def test_a_vault_of_all_sorts_is_brought_under_management(vault: Vault, shell: Shell):
    """Policies, groups, entities, auth roles and mounts of all sorts: nothing changed but the mark, nothing left."""
    brought = brought_under_management(Odd(vault), shell, 10)
    assert {"plain", "own-id", "any", "anna"} <= brought.of("NHI").keys()


def changed(shell: Shell, ref: str, **spec: Any) -> None:
    """Change fields of an imported manifest by hand."""
    kind, _, name = ref.partition("/")
    path = shell.root / "manifests" / f"{kind}s" / f"{name}.yaml"
    found = yaml.safe_load(path.read_text())
    found["spec"] |= spec
    path.write_text(yaml.safe_dump(found))


def test_a_later_change_changes_nothing_else(vault: Vault, shell: Shell):
    """A grant more, another description, another lifetime: what is kept, and what others wrote beside it, stays."""
    estate = Odd(vault)
    workspace(shell.root, estate.target)
    estate.seed(10)
    shell_ok(imported(shell))
    shell_ok(shell("adopt", "estate", "--yes"))
    before = estate.live()
    changed(shell, "nhi/own-id", grants=[{"role": "shop"}, {"role": "team-app-read"}, {"role": "hollow"}])
    changed(shell, "nhi/full-options-1", grants=[{"role": "limited"}, {"role": "templated"}])
    changed(shell, "connection/cluster", description="The cluster in the cellar")
    changed(shell, "connection/db-inline", vault=changed_database(shell, maxOpenConnections=7))
    changed(
        shell, "role/shop", vault={"attach": "token", "paths": [{"path": "kv/data/shop/*", "capabilities": ["list"]}]}
    )
    shell_ok(shell("apply", "--yes"))
    after = estate.live()
    policy = vault.call("GET", "sys/policies/acl/shop")["data"]["policy"]
    assert all(text in policy for text in ("# Asked for in SEC-12", "# the shop reads", "# and no more", '["list"]'))
    assert {path for path in {*before, *after} if before.get(path) != after.get(path) and "group" not in path} == {
        "/auth/cluster//description",
        "/sys/policies/acl/shop/policy",
        "/auth/approle/role/full.options_1/token_policies/2",
        "/db/config/inline/connection_details/max_open_connections",
    }  # fmt: skip
    hollow = next(i for i, g in estate.groups().items() if g["name"] == "hollow")
    assert len(estate.groups()[hollow]["member_entity_ids"]) == 3
    assert shell("plan", "--detailed-exitcode").code == 0


def changed_database(shell: Shell, **fields: Any) -> Any:
    """Return the block of a database with other fields."""
    block = yaml.safe_load((shell.root / "manifests/connections/db-inline.yaml").read_text())["spec"]["vault"]
    return {**block, "database": {**block["database"], **fields}}


@pytest.mark.parametrize("number", [100, pytest.param(1000, marks=THOUSANDS)])
def test_approles_in_number_are_few_calls_each(vault: Vault, shell: Shell, number: int):
    """An import reads an AppRole by two calls, each entity and group by one more, and every list twice."""
    estate = Cluster(vault)
    workspace(shell.root, estate.target)
    estate.seed(number)
    vault.faults.reset()
    shell_ok(imported(shell))
    assert len(vault.faults.calls) <= 2 * number + number // 2 + number // 20 + 30
    vault.faults.reset()
    shell_ok(shell("adopt", "estate", "--yes"))
    vault.faults.reset()
    assert shell("plan", "--detailed-exitcode").code == 0
    written = files(shell.root)
    assert imported(shell).out == ""
    assert files(shell.root) == written
