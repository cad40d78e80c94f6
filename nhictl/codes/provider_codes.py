"""Codes E5xx: what an adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E570",
        "The directory cannot hold a name",
        "A name in the embedded directory has at most 128 characters; an identity's has no colon and a"
        " role's no at sign, because a grant is called identity:role@connection.",
        "spec: {nativeName: 'payments:ci'}",
        "spec: {nativeName: payments-ci}",
    ),
    Code(
        "E571",
        "Two objects would share one name in the directory",
        "Names are unique in a directory: two objects with the same name, or two grants of one role to one"
        " NHI through the same connection, would overwrite each other.",
        "grants: [{role: deployer}, {role: deployer, expires: 2027-03-31}]",
        "grants: [{role: deployer, expires: 2027-03-31}]",
    ),
    Code(
        "E572",
        "A grant goes through a connection that is not in the directory",
        "A grant can only go through a connection that exists in the same target: one with a `local` block,"
        " in the same environment.",
        "grants: [{role: deployer, via: github-to-aws}]",
        "grants: [{role: deployer, via: github-to-directory}]",
    ),
)
