"""The manifest kinds as typed values. One module per kind; each turns a validated, variable-free document into a value."""
