"""TLS on the wire: certificates are verified, names are compared, and plain HTTP leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from ssl import CERT_REQUIRED
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.vault.adapter import adapter
from tests.servers import vault as vaults
from tests.servers.http_faults import serve
from tests.servers.tls import authority
from tests.servers.vault import Vault

QUIET = replace(adapter, sleep=lambda _: None)


@pytest.fixture(autouse=True)
def environment(vault_env: Mapping[str, str]) -> None:
    """Vault's variables and nobody else's."""


def principal(address: str, root: Path = Path(), **settings: Any) -> str:
    """Who a read-only session at an address is."""
    target = Target("v", "vault", {"address": address, **settings}, root)
    with QUIET.connect(target, write=False) as session:
        return session.identity().principal


def refused(address: str, **settings: Any) -> ProviderError:
    """Why there is no session at an address."""
    with pytest.raises(ProviderError) as error:
        principal(address, **settings)
    return error.value


def by_name(url: str, name: str) -> str:
    """The same address with a name instead of the number."""
    return url.replace("127.0.0.1", name)


def test_an_unknown_authority_is_an_error_with_the_way_out(vault_tls: Vault) -> None:
    """No request arrived, so that it is no lost reply; the hint names the variable."""
    error = refused(vault_tls.url)
    assert (error.fault, error.code) == (Fault.UNREACHABLE, "SSLError")
    assert "VAULT_CACERT" in error.hint
    assert vault_tls.faults.count() == 0


@pytest.mark.parametrize("name", ["VAULT_CACERT", "BAO_CACERT", "VAULT_CACERT_BYTES", "VAULT_CAPATH"])
def test_the_authority_is_taken_from_the_environment(
    vault_tls: Vault, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a file, as text, or as a directory whose files may be called anything, as Vault's own client takes it."""
    assert vault_tls.ca is not None
    text = vault_tls.ca.read_text()
    (tmp_path / "company.pem").write_text(text)
    value = {"VAULT_CACERT_BYTES": text, "VAULT_CAPATH": str(tmp_path)}.get(name, str(vault_tls.ca))
    monkeypatch.setenv(name, value)
    assert principal(vault_tls.url) == "token"


def test_the_setting_comes_before_the_environment(
    vault_tls: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is relative to the workspace."""
    assert vault_tls.ca is not None
    (tmp_path / "ca.pem").write_bytes(vault_tls.ca.read_bytes())
    monkeypatch.setenv("VAULT_CACERT", str(authority(tmp_path_of(tmp_path, "other")).ca))
    assert principal(vault_tls.url, tmp_path, caFile="ca.pem") == "token"


def tmp_path_of(folder: Path, name: str) -> Path:
    """A new folder in another."""
    (folder / name).mkdir()
    return folder / name


def test_a_wrong_authority_is_an_error(vault_tls: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever names authorities trusts these and no others; the token does not leave."""
    monkeypatch.setenv("VAULT_CACERT", str(authority(tmp_path).ca))
    assert refused(vault_tls.url).code == "SSLError"
    assert vault_tls.faults.count() == 0


def test_authorities_that_are_named_and_not_there_are_an_error(
    vault_tls: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A missing file, an empty directory, and a file that holds something else: said by name, nothing is trusted."""
    (tmp_path / "other.txt").write_text("hello")
    empty = tmp_path_of(tmp_path, "empty")
    said = []
    for name, path in (("CACERT", "absent.pem"), ("CACERT", "other.txt"), ("CAPATH", empty.name)):
        monkeypatch.delenv("VAULT_CACERT", raising=False)
        monkeypatch.setenv(f"VAULT_{name}", str(tmp_path / path))
        said.append(refused(vault_tls.url).message)
    assert [m.partition(":")[0] for m in said] == ["VAULT_CACERT", "VAULT_CACERT", "VAULT_CAPATH"]
    assert "No such file" in said[0]


def test_a_certificate_for_another_name_is_refused(vault_tls: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """VAULT_TLS_SERVER_NAME says which name it is to have; it is compared all the same."""
    monkeypatch.setenv("VAULT_CACERT", str(vault_tls.ca))
    monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "vault.example.com")
    error = refused(vault_tls.url)
    assert (error.code, "VAULT_TLS_SERVER_NAME" in error.hint) == ("SSLError", True)
    monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "localhost")
    assert principal(vault_tls.url) == "token"


@pytest.mark.parametrize("name", ["VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"])
@pytest.mark.parametrize("value", ["1", "true", "T", "yes"])
def test_skipping_the_verification_is_refused(
    vault_tls: Vault, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is meant by it; nothing is sent."""
    monkeypatch.setenv("VAULT_CACERT", str(vault_tls.ca))
    monkeypatch.setenv(name, value)
    error = refused(vault_tls.url)
    assert name in error.message
    assert vault_tls.faults.count() == 0


def test_plain_http_at_a_tls_address_says_so(vault: Vault) -> None:
    """An https address that leads to a server without TLS is an error of its own."""
    error = refused(vault.url.replace("http:", "https:"))
    assert (error.fault, "no TLS" in error.hint) == (Fault.UNREACHABLE, True)


def test_plain_http_is_refused_before_anything_is_sent(vault: Vault) -> None:
    """On the loopback without `plainHttp`, elsewhere always, whatever the name looks like."""
    assert "not reached over TLS" in refused(vault.url).message
    for host in ("vault.example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0"):
        assert "another machine" in refused(by_name(vault.url, host), plainHttp=True).message
    assert vault.faults.count() == 0


@pytest.fixture()
def asking(vault: Vault, tmp_path: Path) -> Iterator[Vault]:
    """The same Vault behind TLS that asks for the client's certificate."""
    made = authority(tmp_path)
    made.server.verify_mode = CERT_REQUIRED
    made.server.load_verify_locations(made.ca)
    with serve(vault.direct_port, reads=vaults.READS, tls=made.server) as layer:
        yield replace(vault, faults=layer, ca=made.ca)


def test_the_client_has_a_certificate_where_it_is_asked(
    asking: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From VAULT_CLIENT_CERT and VAULT_CLIENT_KEY; without, nothing comes through."""
    monkeypatch.setenv("VAULT_CACERT", str(asking.ca))
    assert refused(asking.url).fault is Fault.UNREACHABLE
    assert asking.faults.count() == 0
    for name in ("VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"):
        monkeypatch.setenv(name, str(tmp_path / "server.pem"))
    assert principal(asking.url) == "token"


def test_half_a_client_certificate_is_refused(
    vault_tls: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The certificate without its key, and files that are neither."""
    (tmp_path / "other.pem").write_text("hello")
    monkeypatch.setenv("VAULT_CACERT", str(vault_tls.ca))
    monkeypatch.setenv("VAULT_CLIENT_CERT", str(tmp_path / "other.pem"))
    assert "go together" in refused(vault_tls.url).message
    monkeypatch.setenv("VAULT_CLIENT_KEY", str(tmp_path / "other.pem"))
    assert "cannot be used" in refused(vault_tls.url).message
