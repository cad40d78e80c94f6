"""Names and privileges of PostgreSQL: what a role may be called, what can be granted on what, how text names objects.

Rules enforced here:
- `*` in a row means every object; a table really called `*`, or with a quote before, stands in quotes;
- functions are named by `name(types)` with the types as PostgreSQL prints them, `integer` and not `int`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LOGIN, GROUP = "login", "group"
KINDS = (LOGIN, GROUP)
PUBLIC = "public"
NAME_BYTES = 63  # NAMEDATALEN - 1: longer names are cut by the server without an error
STAR = "*"
CLASSES = ("table", "sequence", "function")
"""What `*` can stand for all of in a schema."""
_STARRED = ("table", "sequence")

_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "database": ("CONNECT", "TEMPORARY", "CREATE"),
    "schema": ("USAGE", "CREATE"),
    "table": _TABLE,
    "sequence": ("USAGE", "SELECT", "UPDATE"),
    "function": ("EXECUTE",),
}
"""What the manifest language grants, by class of object (PostgreSQL 18, table 5.2)."""

FUTURE: Mapping[str, tuple[str, ...]] = {
    "tables": _TABLE,
    "sequences": PRIVILEGES["sequence"],
    "functions": PRIVILEGES["function"],
    "types": ("USAGE",),
    "schemas": PRIVILEGES["schema"],
}
"""What default privileges may give, by class."""

_ALIASES = {
    "int": "integer", "int4": "integer", "int2": "smallint", "int8": "bigint", "bool": "boolean", "float4": "real",
    "float8": "double precision", "float": "double precision", "decimal": "numeric", "varchar": "character varying",
    "char": "character", "bpchar": "character", "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone", "timetz": "time with time zone", "time": "time without time zone",
    "varbit": "bit varying",
}  # fmt: skip
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def role_problem(name: str) -> str:
    """Return why no role of ours can have this name; empty when it can."""
    if name in (PUBLIC, "none"):
        return f"`{name}` is a word of the language"
    if name.startswith("pg_"):
        return "names that begin with `pg_` belong to PostgreSQL"
    return name_problem(name)


def name_problem(name: str) -> str:
    """Return why nothing can have this name; empty when it can."""
    if not name or "\0" in name:
        return "a name is not empty and has no NUL"
    if len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES:
        return f"a name has at most {NAME_BYTES} bytes; the server would cut it"
    return ""


def shown(on: str, name: str) -> str:
    """Return the name of an object as rows have it: itself, unless it could be taken for `*` or a quoted name."""
    return f'"{name}"' if on in _STARRED and (name == STAR or name.startswith('"')) else name


def meant(on: str, text: str) -> str:
    """Return the name that a row's text means: the inverse of `shown`."""
    return text[1:-1] if on in _STARRED and len(text) > 1 and text[0] == text[-1] == '"' else text


def quoted(name: str) -> str:
    """Return a name as PostgreSQL's `quote_ident` does for names that are no keyword."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def signature(text: str) -> str:
    """Return a function's signature as the server prints it: one space after commas, types by their own names."""
    name, bracket, rest = text.rpartition("(")
    if not bracket or not rest.endswith(")"):
        return text
    types = [_type(part) for part in rest[:-1].split(",")] if rest[:-1].strip() else []
    return f"{name.strip()}({', '.join(types)})"


def _type(text: str) -> str:
    found = " ".join(text.split())
    base, array = (found[: found.index("[")], found[found.index("[") :]) if "[" in found else (found, "")
    return _ALIASES.get(base.lower(), base) + array


def ordered(on: str, privileges: Iterable[str]) -> str:
    """Return privileges as rows have them: in PostgreSQL's order, separated by spaces."""
    order = PRIVILEGES.get(on) or FUTURE.get(on, ())
    return " ".join(sorted(set(privileges), key=lambda p: (order.index(p) if p in order else len(order), p)))


def options(*, admin: bool, inherit: bool, settable: bool) -> str:
    """Return the options of a membership as text: `inherit set` for an ordinary one, `none` when it has none."""
    words = [word for word, on in (("admin", admin), ("inherit", inherit), ("set", settable)) if on]
    return " ".join(words) or "none"


MEMBER = options(admin=False, inherit=True, settable=True)
