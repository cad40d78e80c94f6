"""The published schemas: closed, documented, without a pattern that can hang, and the same verdict twice."""

import copy
import json
import os
import random
import re
from pathlib import Path

import jsonschema
import pytest
from jsonschema_rs import Draft202012Validator, RegexOptions

from nhictl.manifest import reader, schema_files
from nhictl.manifest.schema_files import KINDS

REPOSITORY = Path(schema_files.__file__).parents[2]
NAMES = [kind.lower() for kind in KINDS]


def nodes(schema, path=""):
    """Yield every subschema with its path."""
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            if key in ("examples", "default", "enum", "const", "required"):
                continue
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from nodes(value, f"{path}/{index}")


def fields(name):
    for path, node in nodes(schema_files.published(name)):
        if re.search(r"/properties/[^/]+$", path) and "/if/" not in path:
            yield path, node


def corpus():
    """Return documents of every kind from the examples, that fit their schema."""
    files = sorted((REPOSITORY / "examples").rglob("*.yaml"))
    found = [d for f in files for d in reader.parse(f.read_bytes(), f.name)[0]]
    return [d.value for d in found if d.kind in KINDS and schema_files.fast(d.kind).is_valid(d.value)]


@pytest.mark.parametrize("name", [*NAMES, "nhictl"])
def test_schema_is_valid_draft_2020_12(name):
    """Each schema is a valid schema with the published address."""
    schema = schema_files.published(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://nhictl.dev/schemas/v1alpha1/{name}.json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_documented(name):
    """Each field has a description that ends like a sentence, and an example."""
    for path, node in fields(name):
        assert node.get("description", "").endswith("."), path
        assert node.get("examples"), path


@pytest.mark.parametrize("kind", KINDS)
def test_examples_of_fields_fit_their_own_schema(kind):
    """What the reference documentation shows is accepted."""
    root = schema_files.published(kind.lower())
    for path, node in fields(kind.lower()):
        validator = jsonschema.Draft202012Validator({**node, "$defs": root["$defs"]})
        for example in node["examples"]:
            assert validator.is_valid(example), (path, example)


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_closed(name):
    """Unknown fields are refused everywhere: an object lists its fields or checks the values of free keys."""
    for path, node in nodes(schema_files.published(name)):
        if node.get("type") == "object" and "/if" not in path and "allOf" not in node:
            assert node["additionalProperties"] is False or "propertyNames" in node, path


@pytest.mark.parametrize("name", NAMES)
def test_no_pattern_can_hang(name):
    """Each string with a pattern has a length limit, and no repetition stands in a repetition."""
    for path, node in nodes(schema_files.published(name)):
        if isinstance(node.get("pattern"), str) and "/not" not in path:
            assert node["maxLength"] <= 2048, path
            assert not re.search(r"[*+}][^()]*\)[*+{]", node["pattern"]), path
            assert not re.search(r"\\d|\\w|\\Z|\(\?[=!<]", node["pattern"]), path


def test_unions_are_exactly_one_block():
    """Identity and issuer take one block, by counting fields."""
    for name, field in (("nhi", "identity"), ("connection", "issuer")):
        node = schema_files.published(name)["properties"]["spec"]["properties"][field]
        assert (node["minProperties"], node["maxProperties"]) == (1, 1)


def test_schema_for_all_is_the_seven_schemas_together():
    """`nhictl.json` dispatches on the kind and holds each schema as published, with its definitions renamed."""

    def renamed(node, prefix):
        text = json.dumps(node)
        return json.loads(re.sub(r'"#/\$defs/', f'"#/$defs/{prefix}.', text))

    expected = {}
    for name in NAMES:
        schema = renamed(schema_files.published(name), name)
        inner = schema.pop("$defs")
        expected |= {f"{name}.{key}": value for key, value in inner.items()}
        expected[name] = {k: v for k, v in schema.items() if k not in ("$schema", "$id")}
    whole = schema_files.published("nhictl")
    if os.environ.get("NHICTL_UPDATE_DOCS"):
        whole = {**whole, "$defs": dict(sorted(expected.items()))}
        (REPOSITORY / "schemas" / "nhictl.json").write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    assert whole["$defs"] == expected
    assert whole["properties"]["kind"]["enum"] == list(KINDS)


def test_schema_for_all_accepts_what_the_kinds_accept():
    """A document that fits its kind fits the schema for all."""
    whole = Draft202012Validator(schema_files.published("nhictl"), offline=True)
    assert corpus()
    assert all(whole.is_valid(value) for value in corpus())


def test_published_schema_lets_variables_pass_and_strict_does_not():
    """Editors accept `${...}` in place of a truth value; nhictl checks what it resolves to."""
    value = copy.deepcopy(next(v for v in corpus() if v["kind"] == "NHI"))
    value["spec"]["protect"] = "${env.protected}"
    published = Draft202012Validator(schema_files.published("nhi"), offline=True)
    assert published.is_valid(value)
    assert not schema_files.fast("NHI").is_valid(value)


def test_nothing_is_fetched():
    """A reference to another address is an error in both validators, not a request."""
    remote = {"$ref": "http://127.0.0.1:9/schema.json"}
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        Draft202012Validator(remote, offline=True)
    explainer = schema_files.explainer("NHI").evolve(schema=remote)
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        list(explainer.iter_errors({}))


def test_schemas_are_found_inside_an_installed_package(tmp_path, monkeypatch):
    """In a wheel the schemas are in the package, and these are read."""
    (tmp_path / "nhictl" / "schemas").mkdir(parents=True)
    (tmp_path / "nhictl" / "schemas" / "nhi.json").write_text('{"title": "installed"}')
    monkeypatch.setattr(schema_files, "files", lambda _package: tmp_path / "nhictl")
    assert json.loads(schema_files.text("nhi")) == {"title": "installed"}


WRONG = [
    *(None, True, 0, 1.0, 1.5, -1, float("inf"), 2**70, [], {}, ["x"], {"x": 1}, ["a", "a"]),
    *("", "x", "a\n", "A B", "\u00e9", "prod\n", "2026-02-30", "0000-01-01", "15m", "12h", "aws:x", "*"),
    *("x" * 3000, "1" * 12, "\u0661\u0662"),
]


def mutated(value, chance):
    """Return `value` with one random place changed, removed or added to."""
    value = copy.deepcopy(value)
    spots = []

    def walk(node):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            spots.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    walk(value)
    node, key = chance.choice(spots)
    action = chance.random()
    if action < 0.6:
        node[key] = chance.choice(WRONG)
    elif action < 0.8:
        del node[key]
    elif isinstance(node, dict):
        node[chance.choice(["extra", "owner", "aws", "local", "environment", "a\n"])] = chance.choice(WRONG)
    else:
        node.append(chance.choice(WRONG))
    return value


def test_fast_and_explaining_validator_have_the_same_verdict():
    """On three thousand mutated manifests both validators say the same, date format and whole numbers included."""
    chance = random.Random(2026)
    values = corpus()
    for _ in range(3000):
        value = mutated(chance.choice(values), chance)
        kind = value.get("kind")
        if kind not in KINDS:
            continue
        try:
            fast = schema_files.fast(kind).is_valid(value)
        except ValueError:
            fast = False
        slow = schema_files.explainer(kind).is_valid(value)
        assert fast == slow, value


def test_strict_schemas_compile_with_a_linear_engine():
    """No pattern needs backtracking: the engine without it takes all of them."""
    for name in NAMES:
        Draft202012Validator(schema_files.published(name), pattern_options=RegexOptions(), offline=True)


def test_digest_changes_with_a_schema(monkeypatch):
    """The digest the cache is keyed by depends on every schema."""
    before = schema_files.digest()
    monkeypatch.setattr(schema_files, "text", lambda name: "other" if name == "role" else "{}")
    assert schema_files.digest() != before
