"""One table from PostgreSQL's errors to faults.

Rules enforced here:
- every failure becomes a `ProviderError` here and nowhere else, without the original as its cause: messages of the
  server and of libpq quote statements, values and host names, and go nowhere;
- a message is made of what was being done, the SQLSTATE and phrases from a fixed list;
- a connection that breaks before COMMIT was sent left nothing behind; one that breaks at COMMIT is `lost`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nhictl.model import Fault, ProviderError

if TYPE_CHECKING:
    import psycopg

STATES: Mapping[str, tuple[Fault, str]] = {
    "0LP01": (Fault.INVALID, "the membership would be circular or is not possible"),
    "22021": (Fault.INVALID, "a name is not in the server's encoding"),
    "22023": (Fault.INVALID, "a value is not possible"),
    "22P05": (Fault.INVALID, "a name is not in the server's encoding"),
    "23505": (Fault.CONFLICT, "it exists already"),
    "25006": (Fault.READ_ONLY, "the connection or the server is read-only"),
    "25P03": (Fault.UNREACHABLE, "the server ended an idle transaction"),
    "28000": (Fault.AUTH, "the server does not let this user in"),
    "28P01": (Fault.AUTH, "the password is wrong"),
    "2BP01": (Fault.IN_USE, "something still depends on it"),
    "3D000": (Fault.NOT_FOUND, "the database does not exist"),
    "3F000": (Fault.NOT_FOUND, "a schema does not exist"),
    "40001": (Fault.THROTTLED, "another session changed the same at the same time"),
    "40P01": (Fault.THROTTLED, "it was in a deadlock with another session"),
    "42501": (Fault.DENIED, "this user may not"),
    "42601": (Fault.INVALID, "this version of PostgreSQL does not know a privilege or option of it"),
    "42602": (Fault.INVALID, "a name is not possible"),
    "42622": (Fault.INVALID, "a name is too long"),
    "42703": (Fault.NOT_FOUND, "a column does not exist"),
    "42704": (Fault.NOT_FOUND, "something it names does not exist"),
    "42710": (Fault.CONFLICT, "a role of this name exists already"),
    "42883": (Fault.NOT_FOUND, "a function does not exist"),
    "42939": (Fault.INVALID, "the name is reserved"),
    "42P01": (Fault.NOT_FOUND, "a table or sequence does not exist"),
    "0LP00": (Fault.INVALID, "the grant is not possible"),
    "0P000": (Fault.INVALID, "the role is not one this can be done to"),
    "55006": (Fault.IN_USE, "it is in use"),
    "55P03": (Fault.THROTTLED, "a lock was not to be had in time"),
    "57014": (Fault.THROTTLED, "the server stopped the statement"),
}
CLASSES: Mapping[str, tuple[Fault, str]] = {
    "08": (Fault.UNREACHABLE, "the connection broke"),
    "28": (Fault.AUTH, "the server does not let this user in"),
    "40": (Fault.THROTTLED, "the server rolled it back"),
    "53": (Fault.THROTTLED, "the server has no room for it now"),
    "57": (Fault.UNREACHABLE, "the server is stopping or starting"),
}
HINTS: Mapping[str, str] = {
    "2BP01": "see what depends on the role: \\ddp, \\z and pg_shdepend in each database",
    "42501": "`nhictl doctor` says what is missing; a grant takes the owner of the object, or grant option on it",
    "25006": "connect to the primary",
}

# What libpq says when no session came about: it gives no SQLSTATE then. Looked for in its text, never shown.
_NO_SESSION: tuple[tuple[str, Fault, str, str, str], ...] = (
    ("server does not support SSL", Fault.AUTH, "TlsNotOffered", "the server offers no TLS",
     "turn `ssl` on in the server, or set `plain: true` for a server on this machine"),
    ("certificate verify failed", Fault.AUTH, "TlsNotTrusted", "nobody trusted here signed the certificate",
     "set `sslRootCert` (or PGSSLROOTCERT) to its authority's certificate"),
    ("does not match host name", Fault.AUTH, "TlsOtherName", "the server's certificate is for another host",
     "connect by the name the certificate has"),
    ("root certificate file", Fault.AUTH, "TlsNoRoot", "the certificate to trust cannot be read",
     "set `sslRootCert` (or PGSSLROOTCERT) to a file that exists, or to `system`"),
    ("no encryption", Fault.AUTH, "PlainRefused", "the server refuses a plain connection",
     "leave `plain` out: the connection then uses TLS"),
    ("pg_hba.conf", Fault.AUTH, "NotAdmitted", "pg_hba.conf does not let this user in from here", ""),
    ("password authentication failed", Fault.AUTH, "28P01", "the password is wrong", ""),
    ("no password supplied", Fault.AUTH, "NoPassword", "the server wants a password",
     "give it by PGPASSWORD, PGPASSFILE, ~/.pgpass or PGSERVICEFILE"),
    ("too many connections", Fault.THROTTLED, "53300", "the server has no free connection", ""),
    ("remaining connection slots", Fault.THROTTLED, "53300", "the server has no free connection", ""),
    ("too many clients", Fault.THROTTLED, "53300", "the server has no free connection", ""),
    ("the database system is", Fault.UNREACHABLE, "57P03", "the server is starting or stopping", ""),
    ("does not exist", Fault.AUTH, "28000", "the user or the database does not exist",
     "see `user` and `database`, PGUSER and PGDATABASE"),
    ("permission denied for database", Fault.DENIED, "42501", "this user may not connect to the database",
     "GRANT CONNECT on it, or leave it out by `databases`"),
    ("not permitted to log in", Fault.AUTH, "28000", "the user may not log in", ""),
    ("authentication failed", Fault.AUTH, "28000", "the server does not let this user in", ""),
    ("SSL error", Fault.AUTH, "TlsFailed", "no TLS connection came about", ""),
)  # fmt: skip


def explained(error: psycopg.Error, doing: str) -> ProviderError:
    """Return what an error of a statement means; it did not take effect."""
    state = error.sqlstate or ""
    if not state:
        return ProviderError(Fault.UNREACHABLE, f"{doing}: the connection broke", code="ConnectionBroken")
    fault, phrase = STATES.get(state) or CLASSES.get(state[:2]) or (Fault.INVALID, "the server refuses it")
    if is_race(error):
        fault, phrase = Fault.THROTTLED, "another session changed the same at the same time"
    return ProviderError(fault, f"{doing}: {phrase} ({state})", code=state, hint=HINTS.get(state, ""))


def no_session(error: Exception, doing: str, *, place: str) -> ProviderError:
    """Return what a failed attempt to connect means. `place` says where to, without credentials."""
    text = str(error)
    for part, fault, code, phrase, hint in _NO_SESSION:
        if part in text:
            return ProviderError(fault, f"{doing}: {phrase}", code=code, hint=hint)
    return ProviderError(
        Fault.UNREACHABLE,
        f"{doing}: no connection to {place}",
        code="NoConnection",
        hint="see `host` and `port`, PGHOST and PGPORT, and the network",
    )


def is_race(error: psycopg.Error) -> bool:
    """True for what PostgreSQL says when two sessions change one role's rows: an internal error, never translated."""
    primary = error.diag.message_primary or ""
    return error.sqlstate == "XX000" and primary.startswith("tuple concurrently")


def worth_repeating(error: psycopg.Error) -> bool:
    """True when the same transaction may succeed a moment later."""
    return is_race(error) or (error.sqlstate or "") in ("40001", "40P01") or (error.sqlstate or "")[:2] == "53"


def lost_at_commit(error: psycopg.Error) -> bool:
    """True when nobody knows whether a COMMIT that ended like this took effect."""
    state = error.sqlstate or ""
    return not state or state in ("40003", "08007") or state.startswith(("57P", "08"))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn errors of psycopg into ProviderErrors."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise explained(error, doing) from None
    except UnicodeError:
        raise ProviderError(Fault.INVALID, f"{doing}: a name is not UTF-8", code="NotUtf8") from None
