"""The real server for the tests of the Vault provider."""

from tests.servers.tls import tls_authority, vault_tls
from tests.servers.vault import vault, vault_env, vault_layer, vault_port

__all__ = ["tls_authority", "vault", "vault_env", "vault_layer", "vault_port", "vault_tls"]
