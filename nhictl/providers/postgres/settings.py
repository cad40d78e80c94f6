"""What a target of provider `postgres` may say in `nhictl.yaml`. Pure data: the same fields as `target-postgres`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NAME = {"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[^\\u0000]+$"}

SETTINGS_SCHEMA: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": [],
        "properties": {
            "host": {
                "type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[^\\s\\u0000]+$",
                "description": "The server, in place of PGHOST. A path is the folder of a Unix socket.",
            },
            "port": {
                "type": "integer", "minimum": 1, "maximum": 65535, "description": "The port, in place of PGPORT.",
            },
            "user": {**_NAME, "description": "The role to connect as, in place of PGUSER."},
            "database": {
                **_NAME, "description": "The database to start from, in place of PGDATABASE: `postgres` unless set.",
            },
            "databases": {
                "type": "array", "items": _NAME, "minItems": 1, "maxItems": 1000, "uniqueItems": True,
                "description": "The databases that are looked at. Without it: all that allow connections and have "
                "grants.",
            },
            "sslRootCert": {
                "type": "string", "minLength": 1, "maxLength": 4096,
                "description": "The file with the authority that signed the server's certificate, relative to the "
                "workspace, in place of PGSSLROOTCERT; `system` for those of the system.",
            },
            "plain": {
                "type": "boolean", "default": False,
                "description": "Connect without TLS. For a server on this machine only: any other host is refused.",
            },
            "systemIdentifier": {
                "type": "string", "maxLength": 20, "pattern": "^[0-9]{10,20}$",
                "description": "The cluster, in quotes, as `SELECT system_identifier FROM pg_control_system()` says. "
                "Any other is refused.",
            },
            "settleTime": {
                "type": "string", "maxLength": 7, "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
                "description": "How long a write whose reply was lost may still take effect.",
            },
        },
    }
)  # fmt: skip
