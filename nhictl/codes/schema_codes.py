"""Codes E2xx to E4xx and W6xx: schemas, references, variables, warnings."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = ()
