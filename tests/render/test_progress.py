"""Progress goes to stderr only: bars on a terminal, lines elsewhere, nothing when off."""

import io
import subprocess
import sys

from nhictl.render.progress import reporter
from nhictl.render.text import Style


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _told(stream: io.StringIO, *, enabled: bool = True) -> str:
    with reporter(stream, Style(), enabled=enabled) as told:
        told.reading("aws-\x1bprod", "reading")
        told.reading("aws-\x1bprod", "1,000 read")
        told.begin(1)
        told.finished("applied   aws-prod/iam-role/[red]x[/]")
    return stream.getvalue()


def test_lines_where_there_is_no_terminal():
    """One plain line per event; of a read, only its end."""
    assert _told(io.StringIO()) == (
        "read      aws-\\u{1b}prod: 1,000 read\napplying  1 change\napplied   aws-prod/iam-role/[red]x[/]\n"
    )


def test_nothing_when_switched_off():
    """--no-progress is silent, on a terminal too."""
    assert _told(_Terminal(), enabled=False) == ""


def test_bars_show_names_without_markup():
    """On a terminal the finished line stays, names are not markup."""
    text = _told(_Terminal())
    assert "applied   aws-prod/iam-role/[red]x[/]" in text
    assert "\x1bprod" not in text


def test_rich_is_not_imported_without_a_terminal():
    """Plain lines cost no heavy import."""
    code = (
        "import io, sys\nfrom nhictl.render import progress, plan_text, diagnostics\n"
        "from nhictl.render.text import Style\n"
        "with progress.reporter(io.StringIO(), Style()) as p: p.begin(1)\n"
        "print([m for m in ('rich', 'yaml', 'jsonschema', 'deepdiff', 'boto3') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
