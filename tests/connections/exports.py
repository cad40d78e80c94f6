"""What a server holds, exported behind nhictl's back: without ids, secrets and times, so that two can be compared."""

from __future__ import annotations

from typing import Any

from tests.connections.enterprise import Enterprise, plain

# the last two: the realm's own key, which is made before nhictl comes
_REALM_OWN = frozenset(
    ("id", "_id", "containerId", "secret", "client.secret.creation.time", "createdTimestamp", "nhictl.operation",
     "privateKey", "certificate")
)  # fmt: skip
_VAULT_OWN = frozenset(("accessor", "uuid", "nhictl_operation", "running_plugin_version", "running_sha256"))
_ROLES = """
SELECT r.rolname, r.rolcanlogin, r.rolinherit, r.rolconnlimit, shobj_description(r.oid, 'pg_authid'),
       ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1)
FROM pg_roles r WHERE r.oid >= 16384 ORDER BY 1
"""
_GRANTS = "SELECT relname, relacl::text FROM pg_class WHERE relname IN ('entries', 'payroll') ORDER BY 1"


def realm(it: Enterprise) -> Any:
    """Return Keycloak's own export of the realm: clients, service accounts with their roles, roles, scopes."""
    found = it.keycloak.call("POST", "/partial-export?exportClients=true&exportGroupsAndRoles=true")
    return plain(found, _REALM_OWN)


def vault(it: Enterprise) -> Any:
    """Return policies, mounts with configuration and roles, entities and groups, by name."""
    ask, keys = it.vault.call, it.vault.listed
    auth, mounts = ask("GET", "sys/auth")["data"], ask("GET", "sys/mounts")["data"]
    entities = [ask("GET", f"identity/entity/id/{i}")["data"] for i in keys("identity/entity/id")]
    groups = [ask("GET", f"identity/group/id/{i}")["data"] for i in keys("identity/group/id")]
    entity_names, group_names = ({e["id"]: e["name"] for e in items} for items in (entities, groups))
    found = {
        "policies": {p: ask("GET", f"sys/policies/acl/{p}")["data"]["policy"] for p in keys("sys/policies/acl")},
        "auth": auth,
        "configs": {m: (ask("GET", f"auth/{m}config") or {}).get("data") for m in auth if m != "token/"},
        "roles": {f"{m}{r}": ask("GET", f"auth/{m}role/{r}")["data"] for m in auth for r in keys(f"auth/{m}role")},
        "entities": {
            e["name"]: {
                "aliases": [(a["name"], a["mount_path"]) for a in e["aliases"]],
                "groups": sorted(group_names[g] for g in e["group_ids"]),
                **{key: e[key] for key in ("disabled", "metadata", "policies")},
            }
            for e in entities
        },
        "groups": {
            g["name"]: {
                "members": sorted(entity_names[e] for e in g["member_entity_ids"]),
                **{key: g[key] for key in ("type", "metadata", "policies")},
            }
            for g in groups
        },
        "mounts": mounts,
        "databases": {
            f"{m}{name}": ask("GET", f"{m}config/{name}")["data"]
            for m, said in mounts.items() if said["type"] == "database" for name in keys(f"{m}config")
        },
    }  # fmt: skip
    return plain(found, _VAULT_OWN)


def ledger(it: Enterprise) -> Any:
    """Return the roles of the PostgreSQL server, with their memberships and comments, and who may do what."""
    found = [[list(row) for row in it.pg.sql(query, database="ledger")] for query in (_ROLES, _GRANTS)]
    return plain(found, frozenset())


def everything(it: Enterprise) -> dict[str, Any]:
    """Return all three."""
    return {"realm": realm(it), "vault": vault(it), "ledger": ledger(it)}
