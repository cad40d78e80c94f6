"""How a session is opened: TLS, credentials, renewal, and what a failure says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.base import Scope
from nhictl.providers.keycloak.adapter import adapter
from nhictl.providers.keycloak.connect import address
from tests.conformance.world import World
from tests.providers.keycloak.keycloak_kit import ESTATE, client, world_of
from tests.servers.http_faults import Fault as Spoilt
from tests.servers.keycloak import Keycloak


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://sso.example.com"},
        {"url": "http://127.0.0.1:8080"},
        {"url": "http://sso.example.com", "plainHttp": True},
        {"url": "ftp://sso.example.com"},
        {"url": "https://user:word@sso.example.com"},
        {},
    ],
)
def test_an_unsafe_address_is_refused(settings: Mapping[str, object]):
    """Without TLS only a loopback address is allowed, and only where the settings say so."""
    with pytest.raises(ProviderError) as refused:
        address(settings, {})
    assert refused.value.fault is Fault.INVALID


def test_nothing_to_log_in_with_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The hint names every way."""
    for name in ("TOKEN", "CLIENT_SECRET", "USERNAME", "PASSWORD", "CLIENT_ID", "URL", "REALM"):
        monkeypatch.delenv(f"KEYCLOAK_{name}", raising=False)
    target = Target("sso", "keycloak", {"url": "https://sso.example.com", "realm": "shop"}, tmp_path)
    with pytest.raises(ProviderError) as refused, adapter.connect(target, write=False):
        pass
    assert (refused.value.fault, refused.value.code) == (Fault.AUTH, "NoCredentials")


def test_a_wrong_secret_is_an_error_of_authentication(keycloak: Keycloak, world: World, monkeypatch):
    """The code is the server's, its text is not passed on."""
    monkeypatch.setenv("KEYCLOAK_CLIENT_SECRET", "wrong-CANARY")
    with pytest.raises(ProviderError) as refused, world.session() as session:
        session.identity()
    assert (refused.value.fault, refused.value.code) == (Fault.AUTH, "unauthorized_client")
    assert "CANARY" not in str(refused.value)


def test_an_administrator_of_another_realm_may_log_in(keycloak: Keycloak, tmp_path: Path, monkeypatch):
    """User and password of `master`; nobody of the target's realm is ourselves then."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "TOKEN"):
        monkeypatch.delenv(f"KEYCLOAK_{name}", raising=False)
    monkeypatch.setenv("KEYCLOAK_USERNAME", keycloak.admin_username)
    monkeypatch.setenv("KEYCLOAK_PASSWORD", keycloak.admin_password)
    world = world_of(keycloak, tmp_path, authRealm="master")
    with world.session() as session:
        who = session.identity()
        said = session.checkup([])
    assert who.own == ()
    assert who.principal == "admin (admin-cli)"
    assert keycloak.realm in who.scope
    assert said.unknown == "the token does not say which roles it has"


def test_a_private_key_logs_in(keycloak: Keycloak, world: World, tmp_path: Path, monkeypatch):
    """A signed assertion takes the place of the secret."""
    from jwcrypto.jwk import JWK

    key = JWK.generate(kty="EC", crv="P-256")
    (tmp_path / "key.pem").write_bytes(key.export_to_pem(private_key=True, password=None))
    data = client(keycloak, "nhictl")
    attributes = {"use.jwks.string": "true", "jwks.string": f'{{"keys":[{public(key)}]}}'}
    changed = {"clientId": "nhictl", "clientAuthenticatorType": "client-jwt", "attributes": attributes}
    keycloak.call("PUT", f"/clients/{data['id']}", changed)
    monkeypatch.delenv("KEYCLOAK_CLIENT_SECRET")
    with world_of(keycloak, tmp_path, keyFile="key.pem").session() as session:
        assert "nhictl" in session.identity().principal


def test_a_connection_without_tls_goes_through_no_proxy(keycloak: Keycloak, world: World, monkeypatch):
    """It would carry secrets in the clear to another machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with world.session() as session:
        assert session.identity().scope


def public(key) -> str:
    """Return the public half with what the server looks for."""
    import json

    return json.dumps({**json.loads(key.export_public()), "kid": key.thumbprint(), "use": "sig", "alg": "ES256"})


def test_an_expired_token_is_renewed(keycloak: Keycloak, world: World):
    """A call refused for its token is sent once more with a new one."""
    with world.session() as session:
        session.identity()
        with keycloak.faults.fault(Spoilt("refuse", path="*/clients", status=401)):
            assert list(session.read(Scope()))
    assert keycloak.faults.count(path="*/token") == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_read_is_tried_again(keycloak: Keycloak, world: World, status: int):
    """After too many calls and after errors of the server."""
    with keycloak.faults.fault(Spoilt("refuse", path="*/clients", status=status, times=2)):
        assert world.snapshot()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_server_leaves_a_change_in_doubt(keycloak: Keycloak, world: World, status: int):
    """Nobody knows whether it took effect, so it is not sent again."""
    spoilt = Spoilt("fail", changing=True, status=status)
    with keycloak.faults.fault(spoilt), pytest.raises(ProviderError) as failed:
        world.converge(ESTATE)
    assert failed.value.fault is Fault.LOST
    assert keycloak.faults.count(changing=True) == 1


def test_a_slow_answer_is_waited_for(keycloak: Keycloak, world: World):
    """Reads and changes; nothing is sent a second time meanwhile."""
    slow = (Spoilt("delay", seconds=0.2, times=2), Spoilt("delay", changing=True, seconds=0.2, times=2))
    with keycloak.faults.fault(*slow):
        world.converge(ESTATE)
    assert keycloak.faults.count("POST", "*/clients") == 1
    assert world.pending(ESTATE) == []


def test_a_page_that_lost_its_end_is_no_shorter_list(keycloak: Keycloak, world: World):
    """The next page takes up where the short one ended."""
    with keycloak.faults.fault(Spoilt("short", path="*/clients", keep=3)):
        found = world.snapshot()
    assert len([a for a in found if a.kind in ("client", "application")]) == 7


def test_tls_is_checked(keycloak_tls: Keycloak, keycloak_env: Mapping[str, str], tmp_path: Path, monkeypatch):
    """An unknown authority is refused with the way out; `caFile` is one."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    settings = {"url": keycloak_tls.url, "realm": keycloak_tls.realm}
    with pytest.raises(ProviderError) as refused:
        World(adapter, Target("sso", "keycloak", settings, tmp_path)).snapshot()
    assert "caFile" in refused.value.hint
    trusted = {**settings, "caFile": str(keycloak_tls.ca)}
    assert World(adapter, Target("sso", "keycloak", trusted, tmp_path)).snapshot()
