"""All that is measured over sockets, by name."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from benchmarks.cases import clients, layers, peers, streams
from benchmarks.cases.case import Case, Send

CASES: Final[Mapping[str, Case]] = {
    **clients.CASES,
    **peers.CASES,
    **layers.CASES,
    **streams.CASES,
}

ENVIRONMENTS: Final = clients.ENVIRONMENTS
"""Variables that a case finds in its environment."""

__all__ = ["CASES", "ENVIRONMENTS", "Case", "Send", "is_installed"]


def is_installed(case: str) -> bool:
    """Whether the package that a case measures is there."""
    try:
        version(case if case in peers.PEERS else "railhttp")
    except PackageNotFoundError:
        return False
    return True
