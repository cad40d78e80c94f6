"""The settings of a Vault target as a JSON Schema: addresses, names and places of secrets, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORD = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[^\\s]+$"}
_MOUNT = {"description": "Path of the auth mount; the method's name unless set.", **_WORD}
_ROLE = {"description": "The auth role to log in through.", **_WORD}


def _place(description: str) -> Mapping[str, Any]:
    """Return the schema of a field that says where a secret is."""
    return {
        "description": description, "type": "string", "minLength": 1, "maxLength": 1024,
        "pattern": "^(env|file):[^\\s]+$",
    }  # fmt: skip


SETTINGS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "address": {
            "description": "Address of Vault. Without it: VAULT_ADDR.",
            "type": "string",
            "minLength": 1,
            "maxLength": 512,
            "pattern": "^https?://[^@\\s?#]+$",
        },
        "namespace": {
            "description": "Namespace in it. Without it: VAULT_NAMESPACE.",
            "type": "string",
            "minLength": 1,
            "maxLength": 512,
            "pattern": "^[^\\s]+$",
        },
        "clusterId": {
            "description": "The only cluster the address may lead to, as `vault status` says it.",
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "pattern": "^[A-Za-z0-9-]+$",
        },
        "caFile": {
            "description": "Certificates to trust: a file or a directory. Without it: VAULT_CACERT, VAULT_CAPATH.",
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
        },
        "plainHttp": {
            "description": "Allow a connection without TLS, to a loopback address only.",
            "type": "boolean",
            "default": False,
        },
        "auth": {
            "description": "Log in by one of these, instead of the token of VAULT_TOKEN or "
            "~/.vault-token. Names places, holds no secret.",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "approle": {
                    "description": "Log in by AppRole.",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["roleIdFrom"],
                    "properties": {
                        "mount": _MOUNT,
                        "roleIdFrom": _place("Where the role_id is: `env:NAME` or `file:/path`."),
                        "secretIdFrom": _place("Where the secret-id is: `env:NAME` or `file:/path`."),
                    },
                },
                "jwt": {
                    "description": "Log in with a token of an issuer.",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["role", "tokenFrom"],
                    "properties": {
                        "mount": _MOUNT,
                        "role": _ROLE,
                        "tokenFrom": _place("Where the token is: `env:NAME` or `file:/path`."),
                    },
                },
                "kubernetes": {
                    "description": "Log in as a Kubernetes service account.",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["role"],
                    "properties": {
                        "mount": _MOUNT,
                        "role": _ROLE,
                        "tokenFrom": _place("Where the token is, unless at the usual place in a pod."),
                    },
                },
            },
            "minProperties": 1,
            "maxProperties": 1,
        },
        "settleTime": {
            "type": "string",
            "maxLength": 7,
            "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
            "description": "How long a write whose reply was lost may still take effect: 10s unless set.",
        },
    },
}
