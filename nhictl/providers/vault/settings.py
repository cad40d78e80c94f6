"""The settings of a Vault target as a JSON Schema: addresses, names and places of secrets, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLACE = {"type": "string", "pattern": "^(env|file):[^\\s]+$", "maxLength": 1024}
_MOUNT = {"type": "string", "pattern": "^[^\\s]+$", "maxLength": 512, "description": "Path of the auth mount."}
_ROLE = {"type": "string", "pattern": "^[^\\s]+$", "maxLength": 512, "description": "The auth role to log in through."}


def _login(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


SETTINGS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "address": {"type": "string", "maxLength": 512, "description": "Address of Vault; else VAULT_ADDR."},
        "namespace": {"type": "string", "maxLength": 512, "description": "Namespace; else VAULT_NAMESPACE."},
        "clusterId": {"type": "string", "maxLength": 64, "description": "The only cluster the address may lead to."},
        "plainHttp": {"type": "boolean", "description": "Allow http:// to a loopback address, for tests."},
        "auth": {
            "type": "object",
            "description": "Log in instead of taking VAULT_TOKEN or ~/.vault-token.",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                "approle": _login(
                    ["roleIdFrom"], mount=_MOUNT,
                    roleIdFrom={**_PLACE, "description": "Where the role_id is: env:NAME or file:/path."},
                    secretIdFrom={**_PLACE, "description": "Where the secret-id is: env:NAME or file:/path."},
                ),
                "jwt": _login(
                    ["role", "tokenFrom"], mount=_MOUNT, role=_ROLE,
                    tokenFrom={**_PLACE, "description": "Where the token is: env:NAME or file:/path."},
                ),
                "kubernetes": _login(
                    ["role"], mount=_MOUNT, role=_ROLE,
                    tokenFrom={**_PLACE, "description": "Where the token is, unless at the usual place in a pod."},
                ),
            },
        },
        "settleTime": {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
            "description": "How long a call whose reply was lost may still take effect: 10s unless set.",
        },
    },
}  # fmt: skip
