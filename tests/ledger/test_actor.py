"""Who acts, read from the environment of a terminal or of CI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.ledger.actor import Actor, Trigger, clean, detect, web_url

_GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_REPOSITORY": "shop/identity", "GITHUB_RUN_ID": "42",
    "GITHUB_SHA": "a" * 40, "GITHUB_REF": "refs/pull/12/merge", "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_SERVER_URL": "https://user:secret@github.example:8443",
}  # fmt: skip
_GITLAB = {
    "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "root", "CI_PROJECT_PATH": "shop/identity", "CI_PIPELINE_ID": "7",
    "CI_COMMIT_SHA": "b" * 40, "CI_MERGE_REQUEST_IID": "3", "CI_PIPELINE_SOURCE": "merge_request_event",
}  # fmt: skip


def test_a_person_at_a_terminal():
    """Without CI variables the local user acts, with the command and the commit passed in."""
    found = detect({}, user="alice", host="laptop", command="apply", commit="c" * 40, tool="nhictl 1")
    assert found == Actor("local", "alice", "laptop", Trigger("manual", "c" * 40, "", "apply", ""), "nhictl 1")


def test_github_actions():
    """Actor, commit, pull request, event and run come from the variables; the URL loses its credentials."""
    found = detect(_GITHUB, user="runner", host="fv-az1", command="apply")
    url = "https://github.example:8443/shop/identity/actions/runs/42"
    assert (found.kind, found.name, found.host) == ("github", "octocat", "fv-az1")
    assert found.trigger == Trigger("pull_request", "a" * 40, "12", "apply", url)


@pytest.mark.parametrize(
    ("reference", "event", "number"),
    [("refs/heads/main", {}, ""), ("refs/heads/main", {"pull_request": {"number": 9}}, "9"),
     ("refs/heads/main", {"pull_request": {"number": "x"}}, ""), ("refs/heads/main", {"pull_request": 5}, ""),
     ("refs/pull/x/merge", {}, "")],
)  # fmt: skip
def test_github_pull_request_numbers(reference, event, number):
    """The number comes from the ref, else from the event, else there is none."""
    found = detect({**_GITHUB, "GITHUB_REF": reference}, user="u", host="h", event=event)
    assert found.trigger.pull_request == number


def test_gitlab_ci():
    """Login, commit, merge request and pipeline come from the variables."""
    found = detect(_GITLAB, user="runner", host="node", command="apply")
    url = "https://gitlab.com/shop/identity/-/pipelines/7"
    assert found == Actor("gitlab", "root", "node", Trigger("merge_request_event", "b" * 40, "3", "apply", url))


def test_what_is_unknown_is_not_recorded():
    """The recorded form has no empty fields; an actor without a name is unknown."""
    assert detect({}, user="", host="h").as_json() == {"kind": "local", "name": "unknown", "host": "h"}
    assert Trigger("manual", command="apply").as_json() == {"kind": "manual", "command": "apply"}


@given(
    st.dictionaries(st.sampled_from([*_GITHUB, *_GITLAB]), st.text(max_size=300)),
    st.text(),
    st.sampled_from([_GITHUB, _GITLAB, {}]),
)
def test_hostile_environments_give_short_visible_text(environ, user, base):
    """Whatever the variables hold, values are short and hold no control or format characters."""
    mode = {key: base[key] for key in ("GITHUB_ACTIONS", "GITLAB_CI") if key in base}
    found = detect({**base, **environ, **mode}, user=user, host=user, command=user, commit=user)
    for text in (*found.as_json().values(), *found.trigger.as_json().values()):
        assert len(text) <= 500
        assert text.isprintable() or clean(text) == text
        assert not set(text) & set("\x1b\r\n\u202e\u200b\u2066")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\u001b[31mb"),
        ("x" * 201, "x" * 199 + "…"),
        ("\u202eabc", "\\u202eabc"),
        ("é😀", "é😀"),
        ("\ud800", "\\ud800"),
    ],
)
def test_clean(text, shown):
    """Control and bidirectional characters become visible, long text is cut."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://u:p@h/x?token=1#f", "https://h/x"), ("javascript:alert(1)", ""), ("https://", ""), ("http://[::1", ""),
     ("https://h:99999/", ""), ("file:///etc/passwd", "")],
)  # fmt: skip
def test_web_url(url, kept):
    """Only http and https, without credentials, query and fragment."""
    assert web_url(url) == kept
