"""The real server for the tests of the Vault provider."""

from tests.servers.vault import vault, vault_env, vault_layer, vault_port

__all__ = ["vault", "vault_env", "vault_layer", "vault_port"]
