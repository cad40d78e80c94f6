"""How the tests get a browser: the machine's Chromium, headless, driven by playwright, with axe-core from npm.

Fixtures: `browser` (one per worker, with a profile of its own), `page` (a new one, which reaches nothing but files and
the loopback), `axe` (the source of axe-core, for `page.evaluate`). `CHROMIUM` names the program where it is not on the
PATH. What is missing skips the tests, or fails them when NHICTL_TEST_REQUIRE_SERVERS is set.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.servers.aws import missing
from tests.servers.cache import cache, kept
from tests.servers.once import NotFetched

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

AXE = "4.14.1"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = (None, "127.0.0.1", "localhost")


def chromium() -> str | None:
    """Return the program, if there is one."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def axe_source() -> Path | None:
    """Return axe-core's script, fetched by npm when it is not in the cache; None without npm."""
    if not _axe().is_dir() and shutil.which("npm") is None:
        return None
    return kept(_axe().name, _fetch) / "axe.min.js"


def _axe() -> Path:
    return cache() / f"axe-core-{AXE}"


def _fetch(folder: Path) -> None:
    command = ["npm", "pack", "--silent", f"axe-core@{AXE}"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise NotFetched(f"npm cannot get axe-core {AXE}: {done.stderr.strip()[-500:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        (folder / "axe.min.js").write_bytes(script.read())


def _guarded(route: Route) -> None:
    """Let through what stays on this machine; a page that asks for more is refused."""
    if urlsplit(route.request.url).hostname in LOCAL:
        route.continue_()
    else:
        route.abort()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A headless Chromium with an empty profile; its process is ours and ends with the run."""
    program = chromium()
    if program is None:
        missing("Chromium")
    if importlib.util.find_spec("playwright") is None:
        missing("playwright")
    from playwright.sync_api import sync_playwright

    # Chromium's own sandbox cannot be set up by root
    options = [*OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    profile = tmp_path_factory.mktemp("chromium")
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            profile, executable_path=program, headless=True, args=options, viewport={"width": 1280, "height": 900}
        )
        context.route("**/*", _guarded)
        yield context
        context.close()


@pytest.fixture()
def page(browser: BrowserContext) -> Iterator[Page]:
    """A new page."""
    made = browser.new_page()
    yield made
    made.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, for `page.evaluate(axe)` and then `page.evaluate("axe.run()")`."""
    try:
        found = axe_source()
    except NotFetched as absent:
        missing(f"axe-core ({absent})")
    if found is None:
        missing("axe-core: npm")
    assert found is not None
    return found.read_text()


if __name__ == "__main__":
    print(f"Chromium: {chromium()}, axe-core: {axe_source()}")
    sys.exit(chromium() is None or axe_source() is None)
