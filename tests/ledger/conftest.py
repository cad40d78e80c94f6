"""A ledger in a temporary directory, and a clock that moves by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from nhictl.ledger import Actor, open_ledger


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(tmp_path, clock):
    """Return a function that opens the ledger of tmp_path as another run, user or host."""

    def _make(run="run-1", *, name="alice", host="host-a", **over):
        settings = {"workspace": "shop", "environment": "prod", "clock": clock, **over}
        return open_ledger("file:ledger", root=tmp_path, actor=Actor("local", name, host), run=run, **settings)

    return _make


@pytest.fixture
def ledger(make):
    return make()


@pytest.fixture
def log_path(tmp_path):
    return tmp_path / "ledger" / "prod" / "log.jsonl"
