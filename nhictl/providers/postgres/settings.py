"""What a target of provider `postgres` may say in `nhictl.yaml`. Pure data: the same fields as `target-postgres`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NAME = {"type": "string", "minLength": 1, "maxLength": 63}

SETTINGS_SCHEMA: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": [],
        "properties": {
            "host": {
                "type": "string", "minLength": 1, "maxLength": 1024,
                "description": "The server, in place of PGHOST. A path is the folder of a Unix socket.",
            },
            "port": {
                "type": "integer", "minimum": 1, "maximum": 65535, "description": "The port, in place of PGPORT.",
            },
            "user": {**_NAME, "description": "The role to connect as, in place of PGUSER."},
            "database": {**_NAME, "description": "The database to start from, in place of PGDATABASE."},
            "databases": {
                "type": "array", "items": _NAME, "minItems": 1, "maxItems": 1000, "uniqueItems": True,
                "description": "The databases that are looked at: all that allow connections and have grants.",
            },
            "sslRootCert": {
                "type": "string", "minLength": 1, "maxLength": 4096,
                "description": "The authority of the server's certificate, in place of PGSSLROOTCERT, or `system`.",
            },
            "plain": {
                "type": "boolean", "description": "Connect without TLS, to a server on this machine only.",
            },
            "systemIdentifier": {
                "type": "string", "pattern": "^[0-9]{10,20}$",
                "description": "The cluster's system identifier, in quotes. Any other cluster is refused.",
            },
            "settleTime": {
                "type": "string", "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
                "description": "How long a write whose reply was lost may still take effect: 2s unless set.",
            },
        },
    }
)  # fmt: skip
