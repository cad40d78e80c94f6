"""Codes E550 to E564: what the PostgreSQL adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = ()
