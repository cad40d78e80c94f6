"""Codes E535 to E549: what the Keycloak adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = ()
