"""Every diagnostic code, and every word of a plan, that `nhictl explain` knows.

Rules enforced here: one table per range of codes, merged in order; a code is registered once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nhictl.codes import (
    import_codes,
    keycloak_codes,
    postgres_codes,
    provider_codes,
    schema_codes,
    vault_codes,
    yaml_codes,
)
from nhictl.codes.code import Code, Word
from nhictl.codes.finding_codes import WORDS


def _merged(*tables: tuple[Code, ...]) -> Mapping[str, Code]:
    rows: dict[str, Code] = {}
    for row in (row for table in tables for row in table):
        if row.code in rows:
            raise ValueError(f"code registered twice: {row.code}")
        rows[row.code] = row
    return MappingProxyType(rows)


CODES: Mapping[str, Code] = _merged(
    yaml_codes.ROWS, schema_codes.ROWS, provider_codes.ROWS, vault_codes.ROWS, keycloak_codes.ROWS, postgres_codes.ROWS,
    import_codes.ROWS,
)  # fmt: skip

__all__ = ["CODES", "WORDS", "Code", "Word"]
