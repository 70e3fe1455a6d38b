"""`python -m railhttp` is the command `railhttp`."""

import sys

from railhttp.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
