"""What a Connection means in AWS: an OIDC provider, a SAML provider, or nothing but a trusted account.

Rules enforced here:
- the SAML metadata file lies inside the workspace, symbolic links resolved; it is read here, once, when compiling;
- issuer and audiences are exact: they go into every trust that comes through the connection;
- metadata with a private key in it is refused;
- thumbprints are compared only where they are declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl.kinds.common import keeps
from nhictl.kinds.connection import Connection
from nhictl.model import Resource, Value, ordered_set
from nhictl.providers.aws.exact import flaw
from nhictl.providers.aws.names import OIDC, SAML, oidc_name
from nhictl.providers.aws.trust import DEFAULT_AUDIENCE, GITHUB, GITLAB

if TYPE_CHECKING:
    from nhictl.providers.aws.desired import Composition

_DEFAULT_URLS = {"githubActions": GITHUB, "gitlab": GITLAB}
_AUDIENCES = ("spec", "aws", "audiences")
_MAX_METADATA = 10_000_000


def provider(work: Composition, connection: Connection) -> Resource | None:
    """Return the identity provider a connection needs; None for accounts and for what cannot be made."""
    if connection.issuer_kind == "awsAccount":
        return None
    if connection.issuer_kind == "saml":
        return _saml(work, connection)
    return _oidc(work, connection)


def of_github(name: str) -> bool:
    """True for an issuer of GitHub Actions in the cloud, those of single enterprises among them."""
    host = name.partition("/")[0].partition(":")[0].rstrip(".")
    return host == oidc_name(GITHUB) or (host.startswith("token.actions.") and host.endswith(".ghe.com"))


def same_issuer(one: Connection, other: Connection) -> bool:
    """True for connections whose tokens come from one place, however the URLs are written."""
    left, right = (f"{issuer_name(c)}/".replace(":443/", "/", 1) for c in (one, other))
    return left == right


def issuer_name(connection: Connection) -> str:
    """Return the issuer of an OIDC connection as IAM names it; empty for an issuer without URL."""
    return oidc_name(str(connection.issuer.get("url") or _DEFAULT_URLS.get(connection.issuer_kind, "")))


def _oidc(work: Composition, connection: Connection) -> Resource | None:
    name = issuer_name(connection)
    audiences = tuple(map(str, connection.block.get("audiences") or ()))
    issuer = ("spec", "issuer", connection.issuer_kind, "url")
    if str(connection.issuer.get("url", "")).startswith("http://"):
        summary = f"{connection.ref}: the issuer is not reached over TLS"
        work.say(connection.document, *issuer, code="E505", summary=summary, hint="AWS takes https:// only")
        return None
    if not (_exact(work, connection, (name,), issuer) and _exact(work, connection, audiences, _AUDIENCES)):
        return None
    thumbprints = connection.block.get("thumbprints")
    attributes: dict[str, Value] = {
        "url": f"https://{name}",
        "audiences": ordered_set(connection.block.get("audiences") or (DEFAULT_AUDIENCE,)),
        "pins": {"thumbprints": ordered_set(t.lower() for t in thumbprints)} if thumbprints else {},
        "tags": _tags(connection),
    }
    return _resource(work, connection, OIDC, name=name, attributes=attributes)


def _saml(work: Composition, connection: Connection) -> Resource | None:
    name = work.estate.name(connection.ref, SAML, connection.native_name or connection.meta.name)
    attributes: dict[str, Value] = {"tags": _tags(connection)}
    if "metadataFile" in connection.issuer or not keeps(connection.keep, SAML, "metadata"):
        text = _metadata(work, connection)
        if text is None:
            return None
        attributes["metadata"] = text
    return _resource(work, connection, SAML, name=name, attributes=attributes)


def _exact(work: Composition, connection: Connection, texts: Iterable[str], path: tuple[str, ...]) -> bool:
    """Return whether texts that go into trust policies are exact; say which is not."""
    flaws = [why for text in texts if (why := flaw(text))]
    for why in flaws:
        work.say(
            connection.document, *path, code="E505", summary=f"{connection.ref}: {path[-1]}: {why}",
            hint="name the exact value",
        )  # fmt: skip
    return not flaws


def _resource(
    work: Composition, connection: Connection, kind: str, *, name: str, attributes: Mapping[str, Value]
) -> Resource:
    return Resource(
        work.account.address(kind, name), attributes, subject=connection.ref, handling=connection.handling,
        adopt=connection.adopt, place=connection.document.place("metadata", "name"),
    )  # fmt: skip


def _tags(connection: Connection) -> dict[str, Value]:
    tags: Mapping[str, Any] = {**connection.meta.labels, **(connection.block.get("tags") or {})}
    return {key: str(value) for key, value in tags.items()}


def _metadata(work: Composition, connection: Connection) -> str | None:
    named = str(connection.issuer.get("metadataFile", "no metadataFile"))
    root = work.estate.target.root.resolve()
    try:
        path = (root / named).resolve(strict=True)
        if not path.is_relative_to(root) or not path.is_file():
            raise OSError("outside of the workspace")
        if path.stat().st_size > _MAX_METADATA:
            raise OSError(f"larger than {_MAX_METADATA} bytes")
        text = _text(path)
        if "PRIVATE KEY" in text:
            raise ValueError("there is a private key in it")
        return text
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        at = ("spec", "issuer", "saml", "metadataFile")
        work.say(
            connection.document, *at, code="E509", summary=f"{connection.ref}: cannot read {named}: {why}",
            hint="a metadata document is a file inside the workspace",
        )  # fmt: skip
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
