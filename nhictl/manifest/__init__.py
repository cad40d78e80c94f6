"""Manifests from files to validated documents."""
