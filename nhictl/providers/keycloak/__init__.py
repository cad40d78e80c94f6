"""The provider `keycloak`: clients with service accounts, roles, client scopes and identity providers of one realm."""
