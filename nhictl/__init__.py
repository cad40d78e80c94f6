"""nhictl: identity as code for non-human identities."""

__version__ = "0.1.0"
