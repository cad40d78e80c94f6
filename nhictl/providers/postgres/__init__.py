"""The PostgreSQL adapter: NHIs as LOGIN roles, roles as group roles with their grants."""
