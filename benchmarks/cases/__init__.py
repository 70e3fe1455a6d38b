"""All that is measured over sockets, by name."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from benchmarks.cases import clients, everyday, layers, peers, sdk, streams
from benchmarks.cases.case import Case, Send

CASES: Final[Mapping[str, Case]] = {
    **clients.CASES,
    **peers.CASES,
    **layers.CASES,
    **streams.CASES,
    **everyday.CASES,
    **sdk.CASES,
}

ENVIRONMENTS: Final = clients.ENVIRONMENTS
"""Variables that a case finds in its environment."""

__all__ = ["CASES", "ENVIRONMENTS", "Case", "Send", "is_installed"]


def is_installed(case: str) -> bool:
    """Whether the package that a case measures is there."""
    try:
        client = everyday.client_of(case)
        version(client if client in peers.PEERS else "railhttp")
    except PackageNotFoundError:
        return False
    return True
