"""The provider `vault`: HashiCorp Vault and OpenBao."""
