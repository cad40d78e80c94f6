"""Servers over TLS: reached with the throwaway authority, refused without it."""

from __future__ import annotations

import http.client
import ssl

import pytest


def get(port: int, context: ssl.SSLContext, path: str) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    connection.request("GET", path)
    return connection.getresponse().status


def test_vault_over_tls_is_reached_by_who_trusts_its_authority(vault_tls):
    """The certificate names 127.0.0.1 and is signed by the authority whose file the object names."""
    trusting = ssl.create_default_context(cafile=str(vault_tls.ca))
    assert vault_tls.url.startswith("https://127.0.0.1:")
    assert get(vault_tls.faults.port, trusting, "/v1/sys/health") == 200


def test_vault_over_tls_is_refused_by_who_does_not_trust_its_authority(vault_tls):
    """The machine's own trust does not have the authority; the layer goes on for others."""
    with pytest.raises(ssl.SSLCertVerificationError):
        get(vault_tls.faults.port, ssl.create_default_context(), "/v1/sys/health")
    assert get(vault_tls.faults.port, ssl.create_default_context(cafile=str(vault_tls.ca)), "/v1/sys/health") == 200


def test_keycloak_over_tls_names_its_https_address_as_issuer(keycloak_tls):
    """Tokens asked for over TLS name the address they were asked for at."""
    trusting = ssl.create_default_context(cafile=str(keycloak_tls.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", keycloak_tls.faults.port, timeout=60, context=trusting)
    connection.request("GET", f"/realms/{keycloak_tls.realm}/.well-known/openid-configuration")
    assert f'"issuer":"{keycloak_tls.issuer}"' in connection.getresponse().read().decode()
    assert keycloak_tls.issuer.startswith("https://")
