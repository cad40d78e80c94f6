"""Hostile manifests: each with the code and the place at which it must be refused. Large ones are generated."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile text. `at` is the line and column of the refusal."""

    name: str
    data: bytes
    code: str
    at: tuple[int, int]


def _case(name: str, data: str | bytes, code: str, line: int, column: int) -> Case:
    return Case(name, data.encode() if isinstance(data, str) else data, code, (line, column))


def _lines(template: bytes, count: int) -> bytes:
    return b"".join(template % number for number in range(count))


_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES: tuple[Case, ...] = (
    # Expansion
    _case("billion laughs", _LAUGHS, "E113", 1, 4),
    _case("self-referring anchor", "a: &a [*a, *a]", "E114", 1, 8),
    _case("alias without anchor", "a: *b", "E114", 1, 4),
    _case("alias as key", "*b : 1", "E114", 1, 1),
    _case("anchor on a key", "&k a: 1", "E113", 1, 1),
    _case("anchor on the root", "&r\na: 1", "E113", 1, 1),
    _case("anchor with a name of 1 MB", b"a: &" + b"x" * 1_000_000, "E113", 1, 4),
    _case("200,000 aliases", b"- *a\n" * 200_000, "E114", 1, 3),
    _case("merge key", "a:\n  <<: {b: 1}", "E115", 2, 3),
    _case("merge key with aliases", "a: &a {b: 1}\nc:\n  <<: [*a, *a]", "E115", 3, 3),
    _case("merge bomb", "a: &a {x: 1}\n" + "".join(f"b{i}: {{<<: [*a, *a]}}\n" for i in range(30)), "E115", 2, 6),
    # Types
    _case("python object", "a: !!python/object/apply:os.system [id]", "E116", 1, 4),
    _case("python name", "a: !!python/name:os.system", "E116", 1, 4),
    _case("string tag", "a: !!str 1", "E116", 1, 4),
    _case("binary tag", "a: !!binary aGk=", "E116", 1, 4),
    _case("local tag", "a: !secret x", "E116", 1, 4),
    _case("non-specific tag", "a: ! x", "E116", 1, 4),
    _case("tag on a mapping", "!!map\na: 1", "E116", 1, 1),
    _case("verbatim tag", "a: !<tag:yaml.org,2002:str> x", "E116", 1, 4),
    _case("tag of 1 MB", b"a: !" + b"x" * 1_000_000, "E116", 1, 4),
    _case("YAML directive", "%YAML 1.1\n---\na: yes", "E111", 1, 1),
    _case("TAG directive", "%TAG ! tag:evil,2000:\n---\na: !x y", "E111", 1, 1),
    _case("60,000 TAG directives", _lines(b"%%TAG !a%d! x\n", 60_000), "E111", 1, 1),
    _case("unknown directive", "%FOO bar\n---\na: 1", "E111", 1, 1),
    # Keys
    _case("duplicate key", "a: 1\nb: 2\na: 3", "E112", 3, 1),
    _case("duplicate key in a flow", "x: {a: 1, a: 2}", "E112", 1, 11),
    _case("duplicate key by quoting", "a: 1\n'a': 2", "E112", 2, 1),
    _case("duplicate key by escape", 'a: 1\n"\\x61": 2', "E112", 2, 1),
    _case("200,000 duplicates", b"a: 1\n" * 200_000, "E112", 2, 1),
    _case("boolean key", "true: 1", "E117", 1, 1),
    _case("null key", "~: 1", "E117", 1, 1),
    _case("empty key", "?\n: 1", "E117", 1, 2),
    _case("no key", ": 1", "E110", 1, 1),
    _case("number key", "a:\n  1: x", "E117", 2, 3),
    _case("float key", "1.5: x", "E117", 1, 1),
    _case("huge number key", "9" * 500 + ": 1", "E117", 1, 1),
    _case("mapping as key", "? {a: 1}\n: 2", "E117", 1, 3),
    _case("list as key", "? [a, b]\n: 2", "E117", 1, 3),
    _case("list as key in a flow", "x: {[a]: 1}", "E117", 1, 5),
    _case("complex keys in complex keys", b"? " * 20_000, "E117", 1, 3),
    _case("million keys", _lines(b"k%d: 1\n", 1_000_000), "E101", 1, 1),
    _case("90,000 keys", _lines(b"k%d: 1\n", 90_000), "E119", 4_999, 8),
    # Depth and size
    _case("brackets 50,000 deep", b"[" * 50_000, "E118", 1, 33),
    _case("brackets 1,000,000 deep", b"[" * 1_000_000, "E118", 1, 33),
    _case("braces 20,000 deep", b"{a: " * 20_000, "E118", 1, 129),
    _case("lists 50,000 deep", b"- " * 50_000, "E118", 1, 65),
    _case("brackets line by line", b"[\n" * 50_000, "E118", 33, 1),
    _case("indentation 1,000 deep", b"".join(b" " * i + b"a:\n" for i in range(1_000)), "E118", 33, 33),
    _case("just too deep", "a: " + "[" * 32 + "]" * 32, "E118", 1, 35),
    _case("2 MB file", b"# " + b"x" * (2 * MIB), "E101", 1, 1),
    _case("one byte too large", b"a: " + b"x" * (MIB - 2), "E101", 1, 1),
    _case("200,000 documents", b"---\n" * 200_000, "E119", 3_334, 1),
    _case("300,000 empty lists", b"a: [" + b"[]," * 300_000 + b"]", "E119", 1, 14_997),
    _case("100,000 broken documents", b'"\n---\n' * 100_000, "E110", 1, 1),
    _case("key of 1 MB", b"x" * 1_000_000 + b": 1", "E110", 1, 1_000_001),
    # Numbers
    _case("integer of 5,000 digits", "a: " + "9" * 5_000, "E120", 1, 4),
    _case("integer of 1,000,000 digits", b"a: " + b"9" * 1_000_000, "E120", 1, 4),
    _case("hexadecimal of 5,000 digits", "a: 0x" + "f" * 5_000, "E120", 1, 4),
    _case("integer beyond 2**53", "a: 9007199254740992", "E120", 1, 4),
    _case("negative integer beyond", "a: -9007199254740992", "E120", 1, 4),
    _case("not a number", "a: .nan", "E120", 1, 4),
    _case("infinity", "a: [-.inf]", "E120", 1, 5),
    _case("float beyond range", "a: 1e999", "E120", 1, 4),
    _case("float of 100,000 digits", "a: 1." + "1" * 100_000, "E120", 1, 4),
    # Characters
    _case("right-to-left override", "a: x\u202ey", "E105", 1, 5),
    _case("right-to-left override by escape", 'a: "x\\u202ey"', "E105", 1, 6),
    _case("bidirectional isolate in a comment", "a: 1 # \u2067x", "E105", 1, 8),
    _case("zero-width space in a key", "own\u200ber: x", "E105", 1, 4),
    _case("zero-width joiner by escape", 'a: "\\U0000200d"', "E105", 1, 5),
    _case("byte order mark inside", "a: x\ufeffy", "E105", 1, 5),
    _case("soft hyphen", "a: pay\u00adments", "E105", 1, 7),
    _case("invisible tag characters", "a: x\U000e0041\U000e0042", "E105", 1, 5),
    _case("variation selector", "a: x\U000e0101", "E105", 1, 5),
    _case("340,000 bidirectional characters", "\u202e" * 340_000, "E105", 1, 1),
    _case("NUL", "name: a\0b", "E104", 1, 8),
    _case("NUL by escape", 'a: "\\0"', "E104", 1, 5),
    _case("NUL from the start", b"\0" * 1_000_000, "E102", 1, 1),
    _case("terminal escape", "a: \x1b[31mred", "E104", 1, 4),
    _case("terminal escape by escape", 'a: "\\e]52;c;aGk=\\a"', "E104", 1, 5),
    _case("C1 control", "a: x\u009by", "E104", 1, 5),
    _case("next line", "a: x\u0085b: y", "E104", 1, 5),
    _case("line separator", "a: x\u2028b: y", "E104", 1, 5),
    _case("delete character", "a: x\x7f", "E104", 1, 5),
    _case("carriage return hides a line", "a: safe\ra: evil\n", "E104", 1, 8),
    _case("carriage returns only", b"a: 1\r" * 200_000, "E104", 1, 5),
    _case("carriage return by escape", 'a: "x\\ry"', "E104", 1, 6),
    _case("tab indentation", "a:\n\tb: 1", "E106", 2, 1),
    _case("tab after colon", "a:\tb", "E106", 1, 3),
    _case("1,000,000 tabs", b"\t" * 1_000_000, "E106", 1, 1),
    # Encodings
    _case("byte order mark", b"\xef\xbb\xbfa: 1", "E103", 1, 1),
    _case("UTF-16", "a: 1".encode("utf-16"), "E102", 1, 1),
    _case("UTF-16 without mark", "a: 1".encode("utf-16-be"), "E102", 1, 1),
    _case("UTF-32", "a: 1".encode("utf-32"), "E102", 1, 1),
    _case("Latin-1", "a: M\u00fcller".encode("latin-1"), "E102", 1, 5),
    _case("overlong slash", b"a: \xc0\xaf", "E102", 1, 4),
    _case("overlong NUL", b"a: \xc0\x80", "E102", 1, 4),
    _case("surrogate in UTF-8", b"a: \xed\xa0\x80", "E102", 1, 4),
    _case("cut in a character", "a: \u00fc".encode()[:-1], "E102", 1, 4),
    _case("1,000,000 bytes of 0xff", b"a" + b"\xff" * 1_000_000, "E102", 1, 2),
    _case("surrogate by escape", 'a: "\\ud800"', "E110", 1, 7),
    _case("beyond Unicode by escape", 'a: "\\UFFFFFFFF"', "E110", 1, 7),
    # Syntax
    _case("unterminated double quote", 'a: "x\nb: 1', "E110", 1, 4),
    _case("unterminated single quote", "a: 'x\nb: 1", "E110", 1, 4),
    _case("unterminated quote of 1 MB", b'a: "' + b"x\n" * 500_000, "E110", 1, 4),
    _case("unclosed bracket", "a: [1, 2", "E110", 1, 4),
    _case("unclosed brace", "a: {b: 1\nc: 2", "E110", 1, 4),
    _case("key in a value", "a: b: c", "E110", 1, 5),
    _case("unknown escape", 'a: "\\q"', "E110", 1, 5),
    _case("bad indentation", "a:\n    b: 1\n  c: 2", "E110", 3, 3),
    _case("reserved character", "a: @x", "E110", 1, 4),
    _case("backtick", "a: `id`", "E110", 1, 4),
    # Shape
    _case("list of manifests", "- kind: NHI\n- kind: Role", "E121", 1, 1),
    _case("date that is none", "2024-99-99", "E121", 1, 1),
    _case("a word", "hello", "E121", 1, 1),
    _case("null document", "~", "E121", 1, 1),
)
