"""The browser of the tests: shows a page, reaches nothing outside the machine, and runs axe-core."""

from __future__ import annotations


def test_a_page_is_shown_and_outside_requests_fail(page, tmp_path):
    """A file is loaded; an image of another host is not asked for."""
    shown = tmp_path / "a.html"
    shown.write_text("<!doctype html><title>hello</title><img src='http://nhictl.invalid/a.png'>")
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(shown.as_uri())
    assert page.title() == "hello"
    assert failed == ["http://nhictl.invalid/a.png"]


def test_axe_finds_what_is_wrong(page, axe):
    """A picture without a text is found."""
    page.set_content("<!doctype html><html lang=en><title>t</title><main><h1>t</h1><img src='data:,'></main>")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    assert [violation["id"] for violation in found["violations"]] == ["image-alt"]
