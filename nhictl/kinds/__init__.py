"""The manifest kinds as typed values, one module each: from a validated document without variables to a value."""
