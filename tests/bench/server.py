"""An AWS of its own process: prints its address, forgets its calls on request, ends when its standard input does."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.servers.aws import free_port, post
from tests.servers.strict import serve


def main() -> None:
    """Serve until standard input ends."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    moto = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        while post(port, "/moto-api/reset") != 200:
            if moto.poll() is not None:
                sys.exit("moto's server did not start")
            time.sleep(0.05)
        strict, server = serve(port)
        print(strict.url, flush=True)
        for line in sys.stdin:
            if line.strip() == "calls":
                calls = dict(strict.calls)
                strict.calls.clear()
                strict.changes.clear()
                print(" ".join(f"{name}={n}" for name, n in sorted(calls.items())), flush=True)
        server.shutdown()
    finally:
        moto.terminate()
        moto.wait()


if __name__ == "__main__":
    main()
