"""Reports to look at: a small estate with one of everything, a hostile one, and one of any size. No randomness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nhictl.model import Address, Permission, Span
from nhictl.model.inventory import Coverage, Credential, Inventory, Item, Standing
from nhictl.render.html import Report
from nhictl.render.html_changes import Happened

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "'-alert(1)-'",
    "</style><style>*{display:none}</style>",
    "<!--",
    "-->",
    "</td></tr></table><h1>big</h1>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\u202egnp.exe\u2066",
    "\x1b[31mred\x07",
    "zero\u200bwidth\ufeff",
    "\u05d0\u05d1\u05d2 / 123",
    "line\nbreak\ttab",
    "\udc80",
    "x" * 300,
    "y" * 5_000,
    "{{7*7}}${7*7}",
    "ﷺ" * 20,
)
_GIT = "token.actions.githubusercontent.com"
_S3 = "arn:aws:s3:::payments-archive/*"


def ago(days: float) -> str:
    """The RFC 3339 time some days before the report's."""
    return (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def _item(address: str, standing: Standing, **more: object) -> Item:
    place = Address.parse(address)
    provider = place.target.partition("-")[0]
    return replace(Item(place, provider, standing, environment="prod"), **more)


def _managed(address: str, owner: str, tier: str, **more: object) -> Item:
    name = Address.parse(address).name
    usual = {
        "subject": f"nhi/{name}",
        "owner": owner,
        "tier": tier,
        "type": "workload",
        "service": "payments",
        "enabled": True,
        "position": Span(f"manifests/nhi/{name}.yaml", 1, 1),
        "changed": ago(12),
        "changed_by": "ann",
        "created": ago(400),
        "native_id": f"AROA{name.upper()}",
    }
    return _item(address, **{"standing": Standing.MANAGED, **usual, **more})


def key(days: float | None, **more: object) -> Credential:
    """An access key of an age."""
    created = None if days is None else ago(days)
    return replace(Credential("access-key", "AKIAEXAMPLE0000000", "active", created, None, None), **more)


def _items() -> tuple[Item, ...]:
    read = Permission("allow", "s3:GetObject", _S3)
    write = Permission("allow", "s3:PutObject", _S3)
    admin = Permission("allow", "*", "*")
    when = f'{{"StringEquals":{{"{_GIT}:sub":"repo:example/payments:environment:prod"}}}}'
    git = Permission("assume", "sts:AssumeRoleWithWebIdentity", f"arn:aws:iam::222222222222:oidc-provider/{_GIT}", when)
    long = tuple(
        Permission("allow", f"ec2:Describe{n}", f"arn:aws:ec2:eu-central-1:222222222222:vpc/{n}") for n in range(60)
    )
    return (
        _managed(
            "aws-prod/iam-role/payments-ci",
            "payments",
            "high",
            roles=("role/payments-deployer",),
            permissions=(read, write),
            trust=(git,),
            credentials=(),
            last_used=ago(0.2),
        ),
        _managed(
            "aws-prod/iam-user/legacy-sftp",
            "platform",
            "critical",
            roles=("role/archive",),
            permissions=(read,),
            credentials=(key(812, last_used=ago(3)), key(95, status="inactive")),
            last_used=ago(3),
            type="service-account",
            risks=("The access key AKIAEXAMPLE0000000 is 812 days old.", "It uses a key that never expires."),
        ),
        _managed(
            "keycloak-prod/client/support-agent",
            "support",
            "medium",
            type="ai-agent",
            credentials=None,
            roles=("role/support-read", "role/tickets"),
            permissions=(Permission("allow", "realm-role", "support"),),
        ),
        _managed(
            "vault-prod/entity/warehouse",
            "data",
            "low",
            standing=Standing.ADOPTED,
            credentials=(Credential("secret-id", "acc-9f31", "active", ago(20), ago(2), ago(1)),),
            last_used=ago(1),
        ),
        _managed(
            "postgres-prod/role/ledger_exporter",
            "data",
            "medium",
            enabled=False,
            credentials=(Credential("password", "", "", None, None, None),),
        ),
        _item(
            "aws-prod/iam-role/OldDeployRole",
            Standing.UNMANAGED,
            created=ago(1200),
            last_used=ago(540),
            permissions=(admin,),
            native_id="AROAOLDDEPLOY",
            credentials=(),
            risks=(
                "It may do everything.",
                "It was not used for 540 days.",
                "Any principal of the account may assume it.",
            ),
        ),
        _item(
            "aws-prod/iam-user/jenkins",
            Standing.UNMANAGED,
            created=ago(900),
            permissions=long,
            credentials=(key(900),),
            risks=("The access key AKIAEXAMPLE0000000 is 900 days old.",),
        ),
        _item("vault-prod/entity/forgotten", Standing.ORPHAN, created=ago(60)),
        _item("aws-prod/iam-role/terraform-state", Standing.IGNORED, reason="managed by Terraform", until="2027-03-31"),
        _item("aws-prod/iam-role/AWSServiceRoleForSupport", Standing.BUILTIN, reason="service-linked role"),
    )


def _changes() -> tuple[Happened, ...]:
    commit = "4f1d2c9b8a7e6f5d4c3b2a190817263544332211"
    return (
        Happened(
            31,
            ago(1),
            "ann",
            "update",
            "aws-prod/iam-role/payments-ci",
            "nhi/payments-ci",
            "applied",
            "differs from the manifest",
            commit=commit,
            pull_request="123",
            access=("wider",),
        ),
        Happened(
            28,
            ago(3),
            "deploy-bot",
            "create",
            "vault-prod/entity/warehouse",
            "nhi/warehouse",
            "failed",
            "declared",
            "permission denied (403)",
            commit=commit,
        ),
        Happened(
            24,
            ago(12),
            "ann",
            "adopt",
            "aws-prod/iam-user/legacy-sftp",
            "nhi/legacy-sftp",
            "unknown",
            "taken under management",
        ),
        Happened(
            20,
            ago(26),
            "bob",
            "disable",
            "postgres-prod/role/ledger_exporter",
            "nhi/ledger_exporter",
            "applied",
            "no longer declared: disabled now, deleted after 30d",
            access=("narrower",),
        ),
    )


def small() -> Report:
    """One of everything: each standing, known and unknown facts, an unreadable target, each outcome."""
    coverage = (
        Coverage("aws-prod", 2, 2, 1, 1),
        Coverage("keycloak-prod", 1, 0, 0, 0),
        Coverage("postgres-prod", 1, 0, 0, 0),
        Coverage("vault-prod", 1, 1, 0, 0),
    )
    unreadable = {"keycloak-lab": "connection refused"}
    inventory = Inventory("shop", "prod", ago(0), _items(), coverage, unreadable)
    return Report(inventory, _changes(), commit="4f1d2c9b8a7e", tool="nhictl 0.2.0", by="ann on build-7")


def empty() -> Report:
    """Nothing anywhere."""
    return Report(Inventory("shop", "test", ago(0), (), (), {}), None)


def hostile() -> Report:
    """Hostile text in every field that takes text."""
    first = small()
    found = tuple(_spoiled(number, text) for number, text in enumerate(HOSTILE))
    changes = tuple(
        Happened(n, text, text, text, text, text, text, text, text, text, text, (text,))
        for n, text in enumerate(HOSTILE)
    )
    bad = HOSTILE[1]
    coverage = tuple(Coverage(text, 1, 1, 1, 1) for text in HOSTILE)
    inventory = Inventory(bad, bad, ago(0), found, coverage, {text: text for text in HOSTILE})
    return replace(first, inventory=inventory, changes=changes, commit=bad, tool=bad, by=bad)


def _spoiled(number: int, text: str) -> Item:
    may = Permission(text, text, text, text)
    credential = Credential(text, text, text, text, text, text)
    standing = (Standing.MANAGED, Standing.UNMANAGED, Standing.IGNORED)[number % 3]
    return Item(
        Address(text, text, text),
        text,
        standing,
        text,
        text,
        f"nhi/{text}",
        text,
        text,
        text,
        text,
        None,
        (text,),
        (may,),
        (replace(may, kind="assume"),),
        (credential,),
        text,
        text,
        Span(text, 1, 1),
        text,
        text,
        text,
        text,
        (text,),
    )


def large(count: int) -> Report:
    """An estate of `count` identities, a credential each, and 500 changes."""
    kinds = _items()[:9]
    items = []
    for number in range(count):
        like = kinds[number % len(kinds)]
        name = f"{like.address.name}-{number:05}"
        subject = f"nhi/{name}" if like.subject else ""
        items.append(
            replace(
                like,
                address=like.address._replace(name=name),
                subject=subject,
                owner=like.owner and f"team-{number % 40}",
                credentials=like.credentials and (key(number % 900),),
            )
        )
    changes = tuple(replace(_changes()[n % 4], seq=10_000 - n, time=ago(n / 20)) for n in range(500))
    inventory = Inventory(
        "shop", "prod", ago(0), tuple(items), (Coverage("aws-prod", count // 2, count // 4, 9, 9),), {}
    )
    return replace(small(), inventory=inventory, changes=changes)
