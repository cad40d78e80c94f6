"""Codes E520 to E534: what the Vault adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = ()
