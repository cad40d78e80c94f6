"""Codes E3xx, E4xx, E58x and W6xx: references, variables, placement, warnings.

The examples are parts of manifests: the test puts them over a complete one and checks the code they give.
"""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E301",
        "A reference to nothing",
        "The object that is named does not exist in the workspace. Nothing is granted to, owned by"
        " or trusted through something that is not there.",
        "kind: NHI\nspec: {owner: paymentz}",
        "kind: NHI\nspec: {owner: payments}",
    ),
    Code(
        "E302",
        "A reference to an object of another kind",
        "An object of this name exists, but it is not what the field refers to.",
        "kind: NHI\nspec: {grants: [{role: github-to-aws}]}",
        "kind: NHI\nspec: {grants: [{role: deployer}]}",
    ),
    Code(
        "E303",
        "A name used twice",
        "Kind and name are the only key of an object. With two of them nobody could tell which one counts.",
        "kind: Role\nmetadata: {name: deployer}",
        "kind: Role\nmetadata: {name: second-deployer}",
    ),
    Code(
        "E304",
        "A former name that is not free",
        "`previously` says which object this was. That name cannot be an object now, nor the former name of two.",
        "kind: Owner\nmetadata: {name: security, previously: [payments]}",
        "kind: Owner\nmetadata: {name: security, previously: [infosec]}",
    ),
    Code(
        "E305",
        "A circle of references",
        "Owners that back each other up leave nobody; identities that assume each other cannot be made in any order.",
        "kind: Owner\nmetadata: {name: payments}\nspec: {backup: payments}",
        "kind: Owner\nmetadata: {name: payments}\nspec: {backup: security}",
    ),
    Code(
        "E306",
        "Unknown environment",
        "Environments are declared in nhictl.yaml.",
        "kind: NHI\nspec: {environments: [prd]}",
        "kind: NHI\nspec: {environments: [prod]}",
    ),
    Code(
        "E307",
        "Unknown target",
        "Targets are declared in the environments of nhictl.yaml; the object must exist in one of those environments.",
        "kind: NHI\nspec: {targets: [aws-prd]}",
        "kind: NHI\nspec: {targets: [aws-prod]}",
    ),
    Code(
        "E308",
        "Not in this environment",
        "A grant stands within its NHI's environments, and the role and the connection must exist there too.",
        "kind: NHI\nspec: {environments: [prod], grants: [{role: deployer, environments: [staging]}]}",
        "kind: NHI\nspec: {environments: [prod], grants: [{role: deployer, environments: [prod]}]}",
    ),
    Code(
        "E309",
        "A target of another provider",
        "The provider block of the object says which provider it is for; the target it names is of another one.",
        "kind: Role\nmetadata: {name: other}\nspec: {target: directory}",
        "kind: Role\nmetadata: {name: other}\nspec: {target: aws-prod}",
    ),
    Code(
        "E310",
        "A role granted twice",
        "Two grants of one role through the same connection in the same environment cannot be told"
        " apart: which end date or mode counts?",
        "kind: NHI\nspec: {grants: [{role: deployer}, {role: deployer, mode: jit}]}",
        "kind: NHI\nspec: {grants: [{role: deployer, mode: jit}]}",
    ),
    Code(
        "E311",
        "A connection of another provider",
        "The role of a grant and the connection through which the identity proves itself are in the same provider.",
        "kind: NHI\nspec: {grants: [{role: deployer, via: github-to-directory}]}",
        "kind: NHI\nspec: {grants: [{role: deployer, via: github-to-aws}]}",
    ),
    Code(
        "E401",
        "Unknown variable",
        "A variable that means nothing is never replaced by nothing. `vars` are declared for each"
        " environment in nhictl.yaml: the variable must have a value in every environment the"
        " object exists in.",
        'kind: NHI\nspec: {purpose: "Deploy to ${vars.regoin}"}',
        'kind: NHI\nspec: {purpose: "Deploy to ${vars.region}"}',
    ),
    Code(
        "E402",
        "Malformed variable",
        "`${` begins a variable and `}` ends it. For a literal `${`, as in IAM policy variables, write `$${`.",
        'kind: NHI\nspec: {purpose: "Home of ${aws:username}"}',
        'kind: NHI\nspec: {purpose: "Home of $${aws:username}"}',
    ),
    Code(
        "E403",
        "A variable where none is allowed",
        "Names, labels and the lists of environments and targets say what an object is and where;"
        " they are the same everywhere. `${nhi.*}` stands in NHI manifests only.",
        'kind: NHI\nmetadata: {labels: {stage: "${env.name}"}}',
        "kind: NHI\nmetadata: {labels: {stage: any}}",
    ),
    Code(
        "E580",
        "An NHI that is realised nowhere",
        "In each of its environments an identity is made in some target: the one its identity"
        " block or its roles lead to, one it lists in `targets`, or the only one.",
        "kind: NHI\nspec: {environments: [staging, prod], targets: [directory]}",
        "kind: NHI\nspec: {environments: [staging], targets: [directory]}",
    ),
    Code(
        "E581",
        "An NHI that could be in several targets",
        "Two targets of the same provider would do. nhictl does not guess: an identity in the"
        " wrong account is access nobody asked for.",
        "kind: NHI\nspec: {environments: [twins], identity: {awsUser: {}}, grants: []}",
        "kind: NHI\nspec: {environments: [twins], identity: {awsUser: {}}, grants: [], targets: [aws-one]}",
    ),
    Code(
        "W601",
        "An owner that has departed",
        "Nobody answers for the object any more. Give it another owner, and rotate what the owner could read.",
        "kind: NHI\nspec: {owner: departed}",
        "kind: NHI\nspec: {owner: payments}",
    ),
    Code(
        "W602",
        "A grant that has expired",
        "It gives nothing and only looks like access.",
        "kind: NHI\nspec: {grants: [{role: deployer, expires: 2020-01-01}]}",
        "kind: NHI\nspec: {grants: [{role: deployer, expires: 2999-01-01}]}",
    ),
    Code(
        "W603",
        "An object that has ended",
        "Its last day is over: an NHI is kept, disabled and without access; an exception excuses nothing.",
        "kind: NHI\nspec: {lifecycle: {expires: 2020-01-01}}",
        "kind: NHI\nspec: {lifecycle: {expires: 2999-01-01}}",
    ),
    Code(
        "W604",
        "An object without a target",
        "No environment in which the role or connection exists has a target of its provider, so it is nowhere.",
        "kind: Role\nmetadata: {name: other}\nspec: {environments: [staging]}",
        "kind: Role\nmetadata: {name: other}\nspec: {environments: [prod]}",
    ),
    Code(
        "W605",
        "A grant that gives nothing in an environment",
        "The NHI exists there, but in no target that has the role.",
        "kind: NHI\nspec: {environments: [staging, prod], grants: [{role: everywhere}]}",
        "kind: NHI\nspec: {environments: [staging, prod], grants: [{role: everywhere, environments: [prod]}]}",
    ),
)
