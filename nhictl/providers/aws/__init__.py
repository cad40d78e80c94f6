"""The AWS adapter: NHIs as IAM roles and users, roles as policies, connections as identity providers and trust."""
