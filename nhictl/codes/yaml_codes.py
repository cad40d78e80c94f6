"""Codes E1xx: the text of manifests, the YAML subset, and the files they stand in."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = ()
