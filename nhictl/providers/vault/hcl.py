"""ACL policies as text: read into rules where rules can say all of it, and written. Pure.

Terms: a *rule* is a path with its capabilities. A policy is *plain* when it has nothing but rules.
Rules enforced here:
- HCL, JSON and the old `policy = "read"` read alike; a path that stands twice has the capabilities of both, as Vault
  takes it; order and comments mean nothing;
- what rules cannot say (`allowed_parameters`, `min_wrapping_ttl`, `control_group` ...) makes a policy not plain: its
  text is then the whole truth and is compared as text;
- text that is not understood is never guessed at: not plain;
- nor is text that Vault reads in another way than it looks: a `${` in quotes runs on over the closing quote, a key of
  JSON that stands twice counts twice, half a surrogate pair becomes another character.
Sources: Vault `vault/policy.go` (parsePaths), the scanner of HCL 1 that it reads with, and its answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Value, ordered_set

CAPABILITIES = ("create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe", "recover", "scan")
_OLD = {
    "deny": ("deny",),
    "read": ("list", "read"),
    "write": ("create", "delete", "list", "read", "update"),
    "sudo": ("create", "delete", "list", "read", "sudo", "update"),
}
_TOKEN = re.compile(
    r"""(?P<skip>\s+)
      | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_.-]*)
      | (?P<sign>[{}\[\]=,:])""",
    re.VERBOSE | re.DOTALL,
)
_MISREAD = re.compile(r"\$\{|(?<!\\)(?:\\\\)*\\u[dD][89A-Fa-f]")


class NotUnderstood(ValueError):
    """The text is no policy of the syntax that is read here."""


def parsed(text: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the paths of a policy with everything said about each, in order. Raises NotUnderstood."""
    if text.lstrip().startswith("{"):
        return tuple(_from_json(text))
    reader = _Reader([(kind, token) for kind, token in pieces(text) if kind != "comment"])
    found: list[tuple[str, Mapping[str, Any]]] = []
    while not reader.done:
        key = reader.take()
        if key == ("word", "name") and reader.at("="):
            reader.take()
            reader.value()
        elif key in (("word", "path"), ("text", "path")):
            found.append(_stanza(reader))
        else:
            raise NotUnderstood("something else than a path")
    return tuple(found)


def understood(text: str) -> bool:
    """True when the text is a policy of the syntax that is read here."""
    try:
        parsed(text)
    except NotUnderstood:
        return False
    return True


def rules(text: str) -> dict[str, Value] | None:
    """Return the capabilities of each path of a plain policy, sorted; None when it is not plain."""
    try:
        stanzas = parsed(text)
    except NotUnderstood:
        return None
    result: dict[str, tuple[str, ...]] = {}
    for path, said in stanzas:
        capabilities = granted(said)
        if capabilities is None or set(said) - {"capabilities", "policy"}:
            return None
        result[path] = ordered_set((*result.get(path, ()), *capabilities))
    return {path: result[path] for path in sorted(result)}


def granted(said: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the capabilities of one path, None when they are not understood."""
    listed, old = said.get("capabilities"), said.get("policy")
    if listed is None:
        listed = []
    if not isinstance(listed, list) or not all(isinstance(c, str) for c in listed):
        return None
    if old is not None and old not in _OLD:
        return None
    return ordered_set((*listed, *(_OLD[old] if old else ())))


def normal_text(text: str) -> str:
    """Return a policy that is not plain as it is compared: JSON as HCL, line ends and outer blanks alike."""
    plain = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    if not plain.startswith("{"):
        return plain
    try:
        return "\n".join(_written(path, said) for path, said in parsed(plain)).strip()
    except NotUnderstood:
        return plain


def body(attributes: Mapping[str, Value]) -> str:
    """Return the text that says a policy's attributes."""
    text = attributes.get("text")
    if text:
        return f"{text}\n"
    found = attributes.get("rules")
    if not isinstance(found, Mapping):
        return ""
    return "\n".join(_written(path, {"capabilities": list(found[path])}) for path in sorted(found))  # type: ignore[arg-type]


def sayable(path: str) -> bool:
    """True for a path that Vault reads as it is written here."""
    return _MISREAD.search(json.dumps(path, ensure_ascii=False)) is None


def opening(path: str) -> str:
    """Return the line with which a path begins."""
    return f"path {json.dumps(path, ensure_ascii=False)} {{"


def _written(path: str, said: Mapping[str, Any]) -> str:
    lines = [f"  {key} = {_literal(value)}" for key, value in said.items()]
    return "\n".join([opening(path), *lines, "}", ""])


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + " ".join(f"{json.dumps(k)} = {_literal(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every key as often as it stands there."""


def _from_json(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    _refuse_misread(text)
    try:
        tree = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise NotUnderstood("no JSON") from None
    if not isinstance(tree, _Pairs) or {key for key, _ in tree} - {"path", "name"}:
        raise NotUnderstood("something else than paths")
    for group in (group for key, paths in tree if key == "path" for group in _each(paths)):
        if not isinstance(group, _Pairs):
            raise NotUnderstood("something else than paths")
        for path, said in group:
            yield from ((path, _stanza_of(one)) for one in _each(said))


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]


def _stanza_of(value: Any) -> dict[str, Any]:
    found = _single(value)
    if not isinstance(found, dict):
        raise NotUnderstood("a path without rules")
    return found


def _single(value: Any) -> Any:
    """Return a value with mappings for objects. Raises NotUnderstood for a key that stands twice."""
    if not isinstance(value, _Pairs):
        return [_single(item) for item in value] if isinstance(value, list) else value
    found = {key: _single(item) for key, item in value}
    if len(found) < len(value):
        raise NotUnderstood("a key that stands twice")
    return found


def _refuse_misread(text: str) -> None:
    if _MISREAD.search(text):
        raise NotUnderstood("`${` or half a surrogate pair, which Vault reads in another way")


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of a policy with their kinds, comments too. Raises NotUnderstood."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotUnderstood("unknown syntax")
        at = found.end()
        if found.lastgroup == "text":
            yield "text", _unquoted(found[0])
        elif found.lastgroup != "skip":
            yield str(found.lastgroup), found[0]


def _unquoted(text: str) -> str:
    _refuse_misread(text)
    try:
        return str(json.loads(text))
    except ValueError:
        raise NotUnderstood("unknown escape") from None


def _stanza(reader: _Reader) -> tuple[str, Mapping[str, Any]]:
    kind, path = reader.take()
    if kind != "text":
        raise NotUnderstood("a path without a name")
    if reader.at("="):
        reader.take()
    said = reader.value()
    if not isinstance(said, dict):
        raise NotUnderstood("a path without rules")
    return path, said


class _Reader:
    """A position in a list of tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def done(self) -> bool:
        """True behind the last token."""
        return self._at >= len(self._tokens)

    def at(self, sign: str) -> bool:
        """True when the next token is this sign."""
        return not self.done and self._tokens[self._at] == ("sign", sign)

    def take(self) -> tuple[str, str]:
        """Return the next token. Raises NotUnderstood at the end."""
        if self.done:
            raise NotUnderstood("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def value(self) -> Any:
        """Return the next value: text, number, true, false, a list or a mapping."""
        kind, text = self.take()
        if kind == "text":
            return text
        if kind == "number" and "." not in text and len(text) < 16:
            return int(text)
        if kind == "word" and text in ("true", "false"):
            return text == "true"
        if (kind, text) in (("sign", "["), ("sign", "{")):
            self._depth += 1
            if self._depth > 20:
                raise NotUnderstood("too deep")
            result = self._list() if text == "[" else self._mapping()
            self._depth -= 1
            return result
        raise NotUnderstood("no value")

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while not self.at("]"):
            items.append(self.value())
            if self.at(","):
                self.take()
            elif not self.at("]"):
                raise NotUnderstood("a list without commas")
        self.take()
        return items

    def _mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.at("}"):
            kind, key = self.take()
            if kind not in ("word", "text") or key in found:
                raise NotUnderstood("no key, or one that stands twice")
            if self.at("=") or self.at(":"):
                self.take()
            found[key] = self.value()
            if self.at(","):
                self.take()
        self.take()
        return found
