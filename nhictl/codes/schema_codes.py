"""Codes E2xx: the shape of manifests and of `nhictl.yaml`; with those of references and variables.

The examples are parts of manifests: the test puts them over a complete one and checks the code they give.
"""

from __future__ import annotations

from nhictl.codes import reference_codes
from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E200",
        "The document does not fit its schema",
        "The fast check refuses the document and no single reason could be told. This is a fault"
        " of nhictl: please report the document.",
        "kind: NHI\nspec: {tier: [high]}",
        "kind: NHI\nspec: {tier: high}",
    ),
    Code(
        "E201",
        "Unknown field",
        "A field nhictl does not know does nothing. Most of them are misspelt, and what they were"
        " meant to say (an owner, an end date) would be missing in silence.",
        "kind: NHI\nspec: {ownr: payments}",
        "kind: NHI\nspec: {owner: payments}",
    ),
    Code(
        "E202",
        "Missing field",
        "The object cannot be used without this field. `nhictl explain KIND.FIELD` says what it means.",
        "kind: NHI\nspec: {grants: [{via: github-to-aws}]}",
        "kind: NHI\nspec: {grants: [{role: deployer}]}",
    ),
    Code(
        "E203",
        "Wrong type",
        "A list, a mapping, text, a whole number and true or false are different things. Text that"
        " looks like a number or a truth value needs quotes.",
        'kind: NHI\nspec: {protect: "yes"}',
        "kind: NHI\nspec: {protect: true}",
    ),
    Code(
        "E204",
        "Not one of the possible values",
        "The field takes one of a few words, written exactly so.",
        "kind: NHI\nspec: {tier: hihg}",
        "kind: NHI\nspec: {tier: high}",
    ),
    Code(
        "E205",
        "Wrong form",
        "Names, durations, dates, ARNs and places have a form. Dates are absolute (`2027-02-28`)"
        " and exist in the calendar; durations are one number and one unit (`15m`, `90d`).",
        "kind: NHI\nspec: {lifecycle: {expires: 2026-02-30}}",
        "kind: NHI\nspec: {lifecycle: {expires: 2026-02-28}}",
    ),
    Code(
        "E206",
        "Not exactly one of several blocks",
        "One block of several says what is meant: the provider of a role, what proves an identity."
        " With none nothing is said, with two it is not clear what counts.",
        "kind: NHI\nspec: {identity: {local: {}, awsUser: {}}}",
        "kind: NHI\nspec: {identity: {local: {}}}",
    ),
    Code(
        "E207",
        "Too few, too many, too long, or twice",
        "Lists and texts have bounds, and a list that is a set holds each element once.",
        "kind: NHI\nspec: {environments: [prod, prod]}",
        "kind: NHI\nspec: {environments: [prod]}",
    ),
    Code(
        "E208",
        "Missing or unknown apiVersion",
        "The version says which language the document is written in.",
        "apiVersion: nhictl.dev/v2\nkind: NHI",
        "apiVersion: nhictl.dev/v1alpha1\nkind: NHI",
    ),
    Code(
        "E209",
        "Missing or unknown kind",
        "The kind says what the document is about: Owner, Role, NHI, Connection, Policy or Exception.",
        "kind: Rolle\nmetadata: {name: deployer}",
        "kind: Role\nmetadata: {name: deployer}",
    ),
    Code(
        "E210",
        "A credential in the configuration or in a manifest",
        "nhictl.yaml and manifests are read by everyone who reads the repository. Providers find"
        " their credentials by their own chain: environment, profile, instance role; manifests name"
        " the place of a credential (`deliverTo`), never its value. A value that was committed must"
        " be replaced.",
        "kind: Workspace\nspec: {environments: {prod: {vars: {db_password: example}}}}",
        "kind: Workspace\nspec: {environments: {prod: {vars: {database: ledger}}}}",
    ),
    Code(
        "E211",
        "Unknown provider",
        "A target names the provider whose instance it is; there is an adapter for each known provider.",
        "kind: Workspace\nspec: {environments: {prod: {targets: {aws-prod: {provider: awss}}}}}",
        "kind: Workspace\nspec: {environments: {prod: {targets: {aws-prod: {provider: aws}}}}}",
    ),
    Code(
        "E212",
        "Fields that exclude or need each other",
        "Some fields have a meaning only beside another one, or only without it.",
        "kind: NHI\nspec: {type: workload, agent: {autonomy: supervised}}",
        "kind: NHI\nspec: {type: ai-agent, agent: {autonomy: supervised}}",
    ),
    Code(
        "E213",
        "A document in the wrong file",
        "nhictl.yaml holds the one Workspace and nothing else; a Workspace stands nowhere else.",
        "kind: Workspace\nmetadata: {name: second}",
        "kind: Owner\nmetadata: {name: second}",
    ),
    *reference_codes.ROWS,
)
