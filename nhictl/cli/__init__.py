"""The command line: one small file per command, and the only place where the layers are wired together."""
