"""Codes E550 to E564 and W613 to W615: what the PostgreSQL adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E550",
        "A grant names no database",
        "Schemas, tables and functions are in one database of a server, and privileges are given there: without its"
        " name nobody knows where.",
        "postgres: {grants: [{schema: public, privileges: [USAGE]}]}",
        "postgres: {database: ledger, grants: [{schema: public, privileges: [USAGE]}]}",
    ),
    Code(
        "E551",
        "A privilege that this class of object does not have",
        "PostgreSQL gives different privileges on databases, schemas, tables, sequences and functions. SELECT on a"
        " schema does not exist; USAGE on a table does not either.",
        "grants: [{schema: public, privileges: [SELECT]}]",
        'grants: [{schema: public, tables: ["*"], privileges: [SELECT]}]',
    ),
    Code(
        "E552",
        "A name that no role can have",
        "Role names have at most 63 bytes: the server would cut longer ones without an error, and two could become one."
        " `public` and `none` are words of the language, and names that begin with `pg_` belong to PostgreSQL.",
        "identity: {postgres: {login: pg_exporter}}",
        "identity: {postgres: {login: ledger_exporter}}",
    ),
    Code(
        "E553",
        "Two manifest objects would be one role",
        "Logins and groups are roles of one name space for all databases of a server: a Role and an NHI of one name"
        " would be one role.",
        "Role `ledger` and an NHI with `identity: {postgres: {login: ledger}}`",
        "identity: {postgres: {login: ledger_app}}",
    ),
    Code(
        "W613",
        "Grants on objects of a schema without USAGE on the schema",
        "Whoever has no USAGE on a schema reaches nothing in it, whatever is granted on its tables. In `public` every"
        " role has it unless somebody took it away.",
        "grants: [{schema: books, tables: [entries], privileges: [SELECT]}]",
        "grants: [{schema: books, privileges: [USAGE]}, {schema: books, tables: [entries], privileges: [SELECT]}]",
    ),
)
