"""How long an idle connection may be used again, as the server says."""

import pytest

from railhttp.wire.keep_alive import reuse_limit


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ([], None),
        ([""], None),
        (["5"], None),
        (["max=100"], None),
        (["timeout"], None),
        (["timeout="], None),
        (["timeout=-5"], None),
        (["timeout=5x"], None),
        (["timeout=5.5"], None),
        (["x-timeout=5"], None),
        (["timeout=1234567890123456789"], None),
        (["timeout=123456789012345678"], 123456789012345677.0),
        (["timeout=5"], 4.0),
        (["timeout=0"], 0.0),
        (["timeout=1"], 0.5),
        (["timeout=2"], 1.0),
        (["timeout=3"], 2.0),
        (["Timeout = 5"], 4.0),
        (['\ttimeout="5" ; max=100'], 4.0),
        (["max=100,timeout=5"], 4.0),
        (["timeout=5, timeout=3"], 2.0),
        (["timeout=3", "timeout=5"], 2.0),
        (["max=1", "timeout=5"], 4.0),
    ],
)
def test_a_connection_is_used_until_a_second_before_the_server_closes_it(
    fields: list[str], limit: float | None
) -> None:
    assert reuse_limit(fields) == limit
