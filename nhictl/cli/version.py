"""`nhictl version`: the version, and with `-o json` what it runs on."""

from __future__ import annotations

import json
import platform

from nhictl import __version__
from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out

app = new_app()


@app.command(epilog="\b\nExamples:\n  nhictl version\n  nhictl version -o json")
def version(output: o.Output = o.Format.TABLE, debug: o.Debug = False) -> None:
    """Print the version."""
    if output is o.Format.JSON:
        out(json.dumps({"nhictl": __version__, "python": platform.python_version(), "platform": platform.system()}))
        return
    out(f"nhictl {__version__}")
