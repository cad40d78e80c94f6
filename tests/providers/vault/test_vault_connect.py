"""Opening a session: what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Fault as Kind
from nhictl.model import ProviderError
from nhictl.providers.base import Scope
from nhictl.providers.vault import guard
from nhictl.providers.vault.adapter import adapter
from nhictl.providers.vault.connect import address_of
from tests.servers.http_faults import Call, Fault
from tests.servers.vault import Vault


@pytest.mark.parametrize(
    ("settings", "environ", "wanted"),
    [
        ({"address": "https://a"}, {"VAULT_ADDR": "https://b"}, "https://a"),
        ({}, {"VAULT_ADDR": "https://b/"}, "https://b"),
        ({"address": "http://127.0.0.1:8200", "plainHttp": True}, {}, "http://127.0.0.1:8200"),
    ],
)
def test_settings_come_before_the_environment(
    settings: Mapping[str, object], environ: dict[str, str], wanted: str
) -> None:
    """And plain HTTP is for this machine."""
    assert address_of(settings, environ) == wanted


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "no address"),
        ({"address": "http://127.0.0.1:8200"}, "not reached over TLS"),
        ({"address": "http://vault.example.com", "plainHttp": True}, "another machine"),
        ({"address": "https://user:secret@vault.example.com"}, "no address"),
        ({"address": "ftp://vault.example.com"}, "not reached over TLS"),
    ],
)
def test_an_address_without_tls_is_refused(settings: Mapping[str, object], why: str) -> None:
    """With the way out, and without what may be secret."""
    with pytest.raises(ProviderError, match=why) as refused:
        address_of(settings, {})
    assert "secret" not in f"{refused.value}{refused.value.hint}"


def test_skip_verify_and_no_token_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificates are always verified; nobody is nobody."""
    target = Target("v", "vault", {"address": "https://127.0.0.1:1"}, tmp_path)
    for name in ("VAULT_TOKEN", "BAO_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ProviderError, match="no token"), adapter.connect(target, write=False):
        pass
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
    with pytest.raises(ProviderError, match="VAULT_SKIP_VERIFY"), adapter.connect(target, write=False):
        pass


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "sys/auth", True), ("LIST", "identity/entity/id", True), ("POST", "identity/lookup/entity", True),
        ("POST", "sys/capabilities-self", True), ("POST", "auth/a/b/login", True), ("DELETE", "sys/auth/a", False),
        ("POST", "auth/approle/role/x/secret-id", False), ("POST", "auth/approle/role/login", False),
        ("POST", "sys/policies/acl/a/v1/sys/capabilities-self", False),
        ("POST", "identity/entity", False), ("PUT", "sys/policies/acl/x", False),
    ],
)  # fmt: skip
def test_only_reading_leaves_a_reading_session(method: str, path: str, may: bool) -> None:
    """Below hvac, in the transport."""
    assert guard.reads(method, f"https://vault.example.com/v1/{path}") is may


def test_a_bad_token_is_said_as_one(
    vault: Vault, vault_env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With where it comes from, and without it."""
    monkeypatch.setenv("VAULT_TOKEN", "hvs.not-a-token")
    target = Target("v", "vault", {"address": vault.url, "plainHttp": True}, Path())
    with adapter.connect(target, write=False) as session, pytest.raises(ProviderError) as refused:
        session.identity()
    assert refused.value.fault is Kind.AUTH
    assert "VAULT_TOKEN" in refused.value.hint
    assert "hvs." not in f"{refused.value}{refused.value.hint}"


@dataclass(slots=True)
class Listener(Fault):
    """No fault at all: it notes the namespaces that calls are for."""

    heard: list[str] = field(default_factory=list)

    def strikes(self, call: Call) -> bool:
        """Note a call's namespace, empty for none."""
        self.heard.append(next((v for name, v in call.headers if name.lower() == "x-vault-namespace"), ""))
        return False


@pytest.mark.parametrize(
    ("settings", "variables", "wanted"),
    [
        ({}, {}, ""),
        ({"namespace": "team/a"}, {"VAULT_NAMESPACE": "other"}, "team/a"),
        ({}, {"VAULT_NAMESPACE": "team/b/"}, "team/b"),
        ({}, {"BAO_NAMESPACE": "team/c"}, "team/c"),
    ],
)
def test_every_call_is_for_the_namespace(
    vault: Vault,
    vault_env: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    settings: Mapping[str, str],
    variables: Mapping[str, str],
    wanted: str,
) -> None:
    """Reads and writes alike; it is a part of where the session is, so that no ledger takes one for another."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if wanted and vault.openbao:
        vault.within(wanted)
    target = Target("v", "vault", {"address": vault.url, "plainHttp": True, **settings}, Path())
    listener = Listener("delay")
    with vault.faults.fault(listener), adapter.connect(target, write=True) as session:
        scope = session.identity().scope
        list(session.read(Scope()))
        session.calls.write("PUT", "sys/policies/acl/x", {"policy": "# nothing"})
    assert {name.strip("/") for name in listener.heard} == {wanted}
    assert scope.partition("/")[2] == wanted


def test_a_connection_without_tls_goes_through_no_proxy(
    vault: Vault, vault_env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would carry the token in the clear to another machine, and ask for that machine's own loopback."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    target = Target("v", "vault", {"address": vault.url, "plainHttp": True}, Path())
    with adapter.connect(target, write=False) as session:
        assert session.identity().scope


@pytest.mark.parametrize("name", ["..", "../../sys/seal", "a/../../b", "."])
def test_a_name_that_leads_up_is_not_sent(vault: Vault, vault_env: Mapping[str, str], name: str) -> None:
    """Whatever sends the request would take it for a way to another path."""
    target = Target("v", "vault", {"address": vault.url, "plainHttp": True}, Path())
    with adapter.connect(target, write=True) as session, pytest.raises(ProviderError, match="another path"):
        session.calls.write("POST", f"sys/policies/acl/{name}", {"policy": ""})
    assert vault.faults.count(changing=True) == 0
