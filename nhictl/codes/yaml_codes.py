"""Codes E1xx: the text of manifests, the YAML subset, and the files they stand in."""

from __future__ import annotations

from nhictl.codes.code import Code

_SEEN = "A reviewer must see what is applied: text that shows differently from what it is can hide a change."
_TREE = "An unreadable or missing manifest must never look like one that declares nothing: that would remove access."

ROWS: tuple[Code, ...] = (
    Code(
        "E101",
        "File too large",
        "Files over 1 MiB are refused before they are parsed, so that a pull request cannot exhaust the machine.",
        "one file with thousands of objects",
        "one object per file",
    ),
    Code(
        "E102",
        "Not UTF-8",
        "Other encodings read differently from machine to machine.",
        "a file saved as Latin-1 or UTF-16",
        "the same file saved as UTF-8",
    ),
    Code(
        "E103",
        "Byte order mark",
        "A byte order mark is an invisible first character; some tools keep it, some drop it.",
        "a file saved as `UTF-8 with BOM`",
        "the same file saved as `UTF-8`",
    ),
    Code("E104", "Control character", _SEEN, 'name: "a\\x1bb"', "name: ab"),
    Code("E105", "Invisible or bidirectional character", _SEEN, 'name: "a\\u202eb"', "name: ab"),
    Code(
        "E106",
        "Tab character",
        "Tabs have no agreed width, so indentation by tabs has no agreed meaning.",
        "spec:\n\towner: payments",
        "spec:\n  owner: payments",
    ),
    Code(
        "E110",
        "YAML syntax error",
        "The text is not YAML from here on. The next document of the file, after `---`, is read again.",
        'name: "payments',
        'name: "payments"',
    ),
    Code(
        "E111",
        "YAML directive",
        "`%YAML` and `%TAG` change what the rest of the file means. No line may start with `%`.",
        "%YAML 1.1\n---\nkind: NHI",
        "kind: NHI",
    ),
    Code(
        "E112",
        "Duplicate key",
        "YAML parsers keep the last one in silence: the line a reviewer reads would not be the one that counts.",
        "owner: payments\nowner: security",
        "owner: payments",
    ),
    Code(
        "E113",
        "Anchor",
        "Anchors and aliases make text that is read far away from where it counts, and can expand without bound.",
        "a: &team payments",
        "a: payments",
    ),
    Code(
        "E114",
        "Alias",
        "Anchors and aliases make text that is read far away from where it counts, and can expand without bound.",
        "a: *team",
        "a: payments",
    ),
    Code(
        "E115",
        "Merge key",
        "`<<` copies keys from elsewhere and is not part of YAML 1.2.",
        "a:\n  <<: {owner: payments}",
        "a:\n  owner: payments",
    ),
    Code(
        "E116",
        "Tag",
        "Tags change the type of a value and, in other tools, run code. Quotes say that a value is a string.",
        "account: !!str 222222222222",
        'account: "222222222222"',
    ),
    Code(
        "E117",
        "Key is not a string",
        "Keys that are numbers, booleans, null, lists or mappings have no JSON form.",
        "1: a",
        '"1": a',
    ),
    Code(
        "E118",
        "Nested too deeply",
        "No manifest needs more than 32 levels; parsers fail on thousands.",
        "[" * 33 + "]" * 33,
        "a: [b]",
    ),
    Code(
        "E119",
        "Too many values in one file",
        "A file may hold some thousand values (10,000 parser events), so that it is judged in a moment.",
        "one file with thousands of objects",
        "one object per file",
    ),
    Code(
        "E120",
        "Number that cannot be kept exactly",
        "Canonical JSON, over which plans and ledger are digested, has exact integers up to 2**53 - 1 and no infinity.",
        "serial: 123456789012345678901234567890",
        'serial: "123456789012345678901234567890"',
    ),
    Code(
        "E121",
        "Document is not a mapping",
        "A manifest document is one object: `apiVersion`, `kind`, `metadata`, `spec`.",
        "- kind: NHI",
        "kind: NHI",
    ),
    Code(
        "E122",
        "Too many problems in one file",
        "After so many problems the rest of the file is not read; the ones shown come first.",
        "a file that is not a manifest at all",
        "a manifest",
    ),
    Code("E130", "Path does not exist", _TREE, "manifests: [manifest/]", "manifests: [manifests/]"),
    Code("E131", "Cannot be read", _TREE, "a file or directory without read permission", "chmod u+r FILE"),
    Code(
        "E132",
        "Leads out of the workspace",
        "Manifests come from the reviewed tree only; a link out of it would read whatever is on the machine.",
        "manifests/x.yaml -> /etc/passwd",
        "a copy of the file below the workspace",
    ),
    Code(
        "E133",
        "Not a regular file",
        "Reading a pipe, socket or device can block for ever or give other contents each time.",
        "mkfifo manifests/x.yaml",
        "a regular file",
    ),
    Code("E134", "No manifests there", _TREE, "manifests: [docs/]", "manifests: [manifests/]"),
    Code("E135", "Not a manifest file", _TREE, "manifests: [README.md]", "manifests: [manifests/payments.yaml]"),
    Code("E136", "File name that cannot be shown", _SEEN, "a file name with a line feed in it", "payments.yaml"),
    Code(
        "E190",
        "Cannot be formatted safely",
        "A layout is given out only when every value and every comment is proven to stay; else the file is left alone.",
        "text with a Unicode line separator (U+2028) in it",
        "the unusual part laid out by hand",
    ),
    Code(
        "W690",
        "File declares nothing",
        "An empty manifest file is often one that was cut short. Where it declared something before, that is removed.",
        "# nothing here",
        "kind: NHI",
    ),
    Code(
        "W691",
        "More problems in the file than are told",
        "50 problems of one document and 100 of one file are told, errors first; what is left follows when they are"
        " fixed. After 100 errors the rest of the documents of a file is not judged.",
        "a file in which every line is wrong",
        "one object per file",
    ),
)
