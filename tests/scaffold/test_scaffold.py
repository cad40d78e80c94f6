"""A new workspace validates, is formatted, and never costs somebody a file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml

from nhictl import scaffold as made
from nhictl.manifest import fmt_files
from nhictl.manifest.validate import validate
from nhictl.model import NhictlError
from nhictl.scaffold import scaffold, workspace_name


def _tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_new_workspace_validates(tmp_path, ci):
    """The workspace has no errors and no warnings, and is laid out as fmt would."""
    result = scaffold(tmp_path / "shop", name="", ci=ci)

    assert validate(tmp_path / "shop", today=dt.date(2026, 11, 20)).diagnostics == ()
    found = fmt_files.look(fmt_files.manifests_in([tmp_path / "shop"]), root=tmp_path)
    assert [file.file for file in found if file.changed or file.diagnostics] == []
    assert sorted(map(str, result.files)) == [p for p in _tree(tmp_path / "shop") if (tmp_path / "shop" / p).is_file()]
    assert "name: shop" in (tmp_path / "shop/nhictl.yaml").read_text()


def test_next_commands_name_the_directory(tmp_path, monkeypatch):
    """Three commands, which can be pasted as they are."""
    result = scaffold(tmp_path / "my shop")
    monkeypatch.chdir(tmp_path)

    assert [c.split()[1] for c in result.next_commands] == ["validate", "plan", "apply"]
    assert all(f"-C '{tmp_path}/my shop'" in command for command in result.next_commands)
    assert "-C" not in scaffold(Path()).next_commands[0]


def test_existing_files_are_listed_and_nothing_is_written(tmp_path):
    """Every file in the way is named; the directory stays as it was."""
    (tmp_path / "nhictl.yaml").write_text("mine")
    (tmp_path / ".gitignore").symlink_to("nowhere")
    (tmp_path / "manifests").write_text("a file where a folder must be")
    before = _tree(tmp_path)

    with pytest.raises(NhictlError) as caught:
        scaffold(tmp_path, name="shop", ci="github")

    assert {".gitignore", "manifests", "nhictl.yaml"} <= set(re.split(r"[:,] ", caught.value.message))
    assert _tree(tmp_path) == before
    assert (tmp_path / "nhictl.yaml").read_text() == "mine"


def test_failed_write_takes_everything_back(tmp_path, monkeypatch):
    """When one file cannot be written, none stays, and no folder either."""
    texts = dict(made.contents("shop", "github"))
    texts["x" * 300] = "a name that is too long"
    monkeypatch.setattr(made, "contents", lambda _name, _ci: texts)
    (tmp_path / "kept").mkdir()

    with pytest.raises(NhictlError, match="nothing was written"):
        scaffold(tmp_path, name="shop")

    assert _tree(tmp_path) == ["kept"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My Shop", "my-shop"),
        ("--a--", "a"),
        ("été", "t"),
        ("...", "workspace"),
        ("x" * 80, "x" * 63),
        ("", "workspace"),
    ],
)
def test_workspace_name(text, name):
    """Any directory name gives a valid workspace name."""
    assert workspace_name(text) == name
    assert made.NAME.match(name)


@pytest.mark.parametrize("name", ["Shop", "a b", "-a", "a" * 64, "shop\n", "../x"])
def test_bad_name_is_refused(tmp_path, name):
    """A given name is taken as it is or refused."""
    with pytest.raises(NhictlError, match="not a name"):
        scaffold(tmp_path / "w", name=name)

    assert not (tmp_path / "w").exists()


def test_github_workflow_is_safe():
    """No pull_request_target, no credentials in pull requests, actions by commit, no expression inside a script."""
    text = made.contents("shop", "github")[".github/workflows/nhictl.yaml"]
    workflow = yaml.load(text, Loader=yaml.BaseLoader)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]

    assert set(workflow["on"]) == {"pull_request", "push"}
    assert workflow["permissions"] == {}
    assert [job["permissions"] for job in workflow["jobs"].values()] == [{"contents": "read"}] * 2
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert not any("${{" in step.get("run", "") for step in steps)
    assert workflow["jobs"]["apply"]["concurrency"]["cancel-in-progress"] == "false"
    assert "secrets" not in text


def test_gitlab_pipeline_is_safe():
    """Plan runs for merge requests only, apply for the default branch only, one at a time."""
    pipeline = yaml.load(made.contents("shop", "gitlab")[".gitlab-ci.yml"], Loader=yaml.BaseLoader)

    assert pipeline["plan"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert "$CI_DEFAULT_BRANCH" in pipeline["apply"]["rules"][0]["if"]
    assert pipeline["apply"]["resource_group"] == "nhictl-$NHICTL_ENV"
