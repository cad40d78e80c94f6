path "auth/+/config" {
  capabilities = ["create", "read", "update"]
}

path "auth/+/role/" {
  capabilities = ["list"]
}

path "auth/+/role/+" {
  capabilities = ["create", "delete", "read", "update"]
}

path "auth/+/role/+/role-id" {
  capabilities = ["read"]
}

path "auth/+/role/+/secret-id-accessor/destroy" {
  capabilities = ["create", "update"]
}

path "auth/+/role/+/secret-id-accessor/lookup" {
  capabilities = ["update"]
}

path "auth/+/role/+/secret-id/" {
  capabilities = ["list"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "database/config/" {
  capabilities = ["list"]
}

path "database/config/+" {
  capabilities = ["create", "delete", "read", "update"]
}

path "database/roles/" {
  capabilities = ["list"]
}

path "database/static-roles/" {
  capabilities = ["list"]
}

path "identity/entity" {
  capabilities = ["create", "update"]
}

path "identity/entity-alias" {
  capabilities = ["create", "update"]
}

path "identity/entity-alias/id/*" {
  capabilities = ["delete", "update"]
}

path "identity/entity/id" {
  capabilities = ["list"]
}

path "identity/entity/id/*" {
  capabilities = ["delete", "read", "update"]
}

path "identity/entity/name/*" {
  capabilities = ["read"]
}

path "identity/group" {
  capabilities = ["create", "update"]
}

path "identity/group/id" {
  capabilities = ["list"]
}

path "identity/group/id/*" {
  capabilities = ["delete", "read", "update"]
}

path "identity/group/name/*" {
  capabilities = ["read"]
}

path "identity/lookup/entity" {
  capabilities = ["update"]
}

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/auth/*" {
  capabilities = ["create", "delete", "sudo", "update"]
}

path "sys/capabilities-self" {
  capabilities = ["update"]
}

path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/mounts/*" {
  capabilities = ["create", "delete", "update"]
}

path "sys/policies/acl" {
  capabilities = ["list"]
}

path "sys/policies/acl/*" {
  capabilities = ["create", "delete", "read", "update"]
}

path "sys/policies/detailed/acl" {
  capabilities = ["list"]
}
