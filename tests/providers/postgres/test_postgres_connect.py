"""How a session finds its server: libpq's own chain, TLS unless the server is at hand, and errors without secrets."""

from __future__ import annotations

import traceback
from dataclasses import replace

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.postgres.adapter import adapter
from nhictl.providers.postgres.connect import parameters
from tests.servers.pgfaults import Fault as Broken


@pytest.fixture()
def bare(pg, pg_env, tmp_path):
    """A target that says nothing: everything comes from the environment."""
    return Target("db", "postgres", {}, tmp_path)


def identity(target, **settings):
    with adapter.connect(replace(target, settings=settings), write=False) as session:
        session.read.__self__.server.connection("postgres")
        return session.identity(), session.server.connection("postgres").pgconn.ssl_in_use


def refused(target, **settings):
    with pytest.raises(ProviderError) as error:
        identity(target, **settings)
    return error.value.fault, error.value.code


def test_libpq_variables_are_enough_and_tls_is_used(pg, bare):
    """Without a setting the connection is verified to the end."""
    found, encrypted = identity(bare)

    assert (found.principal, encrypted) == ("postgres", True)
    assert parameters(bare)["sslmode"] == "verify-full"


def test_settings_win_over_variables(pg, bare, monkeypatch):
    """Host, port, user and certificate of the target count."""
    for name, value in {"PGHOST": "203.0.113.9", "PGPORT": "1", "PGUSER": "x", "PGSSLROOTCERT": "/nowhere"}.items():
        monkeypatch.setenv(name, value)

    found, encrypted = identity(bare, host="127.0.0.1", port=pg.port, user="postgres", sslRootCert=str(pg.ca))

    assert (found.principal, encrypted) == ("postgres", True)


def test_a_service_file_is_read(pg, bare, monkeypatch, tmp_path):
    """With its host, user and password."""
    pg.script("CREATE ROLE served LOGIN PASSWORD 'from-the-file'")
    (tmp_path / "services").write_text(
        f"[ledger]\nhost=127.0.0.1\nport={pg.port}\nuser=served\npassword=from-the-file\nsslrootcert={pg.ca}\n"
    )
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSSLROOTCERT"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "ledger")

    assert identity(bare)[0].principal == "served"


def test_a_password_file_is_read(pg, bare, monkeypatch, tmp_path):
    """Whose mode is libpq's business."""
    (tmp_path / "passwords").write_text(f"127.0.0.1:{pg.port}:*:postgres:{pg.password}\n")
    (tmp_path / "passwords").chmod(0o600)
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))

    assert identity(bare)[0].principal == "postgres"


def test_a_unix_socket_needs_no_setting(pg, bare, monkeypatch):
    """Nothing of it is on a network."""
    monkeypatch.delenv("PGSSLROOTCERT")
    assert identity(bare, host=str(pg.folder))[1] is False


def test_plain_is_for_the_loopback(pg, bare):
    """Said for this machine it is obeyed, said for another it is refused before anything is sent."""
    assert identity(bare, plain=True)[1] is False
    assert refused(bare, plain=True, host="db.example.com") == (Fault.AUTH, "PlainOverNetwork")
    assert refused(bare, plain=True, host="127.0.0.1,db.example.com") == (Fault.AUTH, "PlainOverNetwork")


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_weak_sslmode_is_refused(pg, bare, monkeypatch, mode):
    """Neither obeyed nor overridden in silence."""
    monkeypatch.setenv("PGSSLMODE", mode)

    assert refused(bare) == (Fault.AUTH, "TlsNotVerified")


def test_a_certificate_of_an_unknown_authority_is_refused(pg, bare, monkeypatch, tmp_path):
    """By the system's certificates, or by another file."""
    assert refused(bare, sslRootCert="system")[1] in ("TlsNotTrusted", "TlsFailed")
    assert refused(bare, sslRootCert="missing.crt") == (Fault.AUTH, "TlsNoRoot")


def test_a_server_without_tls_is_refused(pg, pg_proxy, bare):
    """The fault layer offers none."""
    assert refused(bare, port=pg_proxy.port) == (Fault.AUTH, "TlsNotOffered")


def test_a_server_that_refuses_plain_connections_says_so(pg, bare):
    """With the way out."""
    pg.database("tls_only")
    with pytest.raises(ProviderError) as error:
        identity(bare, plain=True, database="tls_only")

    assert (error.value.fault, error.value.code) == (Fault.AUTH, "PlainRefused")
    assert "TLS" in error.value.hint


def test_wrong_credentials_are_an_authentication_fault(pg, bare, monkeypatch):
    """Exit code 4, and the password is in nothing."""
    monkeypatch.setenv("PGPASSWORD", "CANARY-wrong")
    with pytest.raises(ProviderError) as error:
        identity(bare)

    assert error.value.fault is Fault.AUTH
    assert "CANARY" not in "".join(traceback.format_exception(error.value))


def test_a_missing_server_is_unreachable(pg, pg_proxy, bare):
    """So is one that closes at once."""
    assert refused(bare, port=1) == (Fault.UNREACHABLE, "NoConnection")
    with pytest.raises(ProviderError, match="port 1, database postgres"):
        identity(bare, port=1)
    with pg_proxy.fault(Broken("refuse", times=3)):
        assert refused(bare, port=pg_proxy.port, plain=True)[0] is Fault.UNREACHABLE


def test_another_cluster_is_refused(pg, bare):
    """And the right one is not."""
    scope = identity(bare)[0].scope

    assert identity(bare, systemIdentifier=scope)[0].scope == scope
    assert refused(bare, systemIdentifier="7000000000000000000") == (Fault.AUTH, "OtherCluster")


def test_a_broken_connection_is_made_again(pg, pg_proxy, bare):
    """The next read of the same session works."""
    settings = {"port": pg_proxy.port, "plain": True}
    with adapter.connect(replace(bare, settings=settings), write=False) as session:
        with pg_proxy.fault(Broken("drop", "FROM pg_roles r WHERE")), pytest.raises(ProviderError) as broken:
            session.reread([])
            list(session.read(_everything()))
        again = list(session.read(_everything()))

    assert broken.value.fault is Fault.UNREACHABLE
    assert "postgres" in {r.address.name for r in again}


def _everything():
    from nhictl.providers.base import Scope

    return Scope()
