"""`python -m railhttp.demo [PORT]` prints the URL that it serves, and serves until Ctrl-C."""

import asyncio
import sys
from contextlib import suppress

from railhttp.demo.server import DemoServer


async def serve(port: int) -> None:
    """Serve until cancelled."""
    async with DemoServer(port=port) as server:
        sys.stdout.write(f"{server.url('')}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> int:
    """Run the server; the exit code is 2 for a port that is not one or is taken."""
    given = sys.argv[1] if len(sys.argv) == 2 else "0"
    if len(sys.argv) > 2 or not (given.isascii() and given.isdigit() and int(given) < 65536):
        sys.stderr.write("usage: python -m railhttp.demo [PORT]\n")
        return 2
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(int(given)))
    except OSError as error:
        sys.stderr.write(f"port {given}: {error.strerror}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
