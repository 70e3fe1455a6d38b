"""The `Keep-Alive` field: how long a server keeps an idle connection open."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_TIMEOUT: Final = r"(?i)(?:^|[,;])[ \t]*timeout[ \t]*=[ \t]*\"?([0-9]{1,18})\"?[ \t]*(?=$|[,;])"
_MARGIN: Final = 1.0


def reuse_limit(fields: Sequence[str]) -> float | None:
    """Return the age in seconds up to which an idle connection may be used again.

    The server closes it after `timeout=N` (RFC 2068, section 19.7.1.1), and a request that is on
    its way then is lost. So the limit is a second below N, but not below half of it.

    Args:
        fields: The values of the `Keep-Alive` fields of a response. Of several timeouts the
            shortest counts; anything else is ignored.

    Returns:
        The limit, 0 for a connection that must not be used again, or None without a valid timeout.

    Example:
        >>> reuse_limit(["timeout=5, max=100"]), reuse_limit(["timeout=1"]), reuse_limit(["5"])
        (4.0, 0.5, None)
    """
    return _limit(fields[0] if len(fields) == 1 else ",".join(fields))


@lru_cache(maxsize=256)
def _limit(field: str) -> float | None:
    seconds = [int(number) for number in re.findall(_TIMEOUT, field)]
    if not seconds:
        return None
    shortest = float(min(seconds))
    return max(shortest - _MARGIN, shortest / 2)
