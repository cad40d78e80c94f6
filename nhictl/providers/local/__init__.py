"""The embedded identity directory: one SQLite file that behaves like a provider, with refusals of its own."""
