"""`python -m railhttp` is the command `railhttp`."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run a subcommand.

    Args:
        argv: The name of the subcommand and its arguments.

    Returns:
        The exit code.
    """
    if argv[:1] != ["openapi"]:
        sys.stderr.write("usage: railhttp openapi SPEC [-o MODULE]\n")
        return 2
    from railhttp.integrations.openapi.command import main as openapi  # noqa: PLC0415  # an extra

    return openapi(argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
