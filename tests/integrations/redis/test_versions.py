"""The format of states: processes of two versions share a server during an update."""

from typing import Final

import pytest

from railhttp.integrations.redis.breakers import FIRST
from railhttp.integrations.redis.codec import BREAKERS, BUDGETS, FLEETS, RATES, Fleet, Streak
from railhttp.integrations.redis.link import Link
from railhttp.integrations.redis.shared import MAX_KEPT
from railhttp.policy.breaker_states import (
    BreakerState,
    Closed,
    ForcedOpen,
    HalfOpen,
    Open,
    ProbeSlot,
)
from railhttp.policy.budget import Tokens
from railhttp.policy.window import Bucket, Window
from railhttp.testing import ManualClock

CIRCUITS: Final = [
    (Closed(), b'{"type":"closed","state":[0,0,[[]]]}'),
    (
        Closed(3, 1, Window((Bucket(100, 5, 2),))),
        b'{"type":"closed","state":[3,1,[[[100,5,2]]]]}',
    ),
    (Open(2, 1, 120.5), b'{"type":"open","state":[2,1,120.5]}'),
    (
        HalfOpen(2, 1, 3, (ProbeSlot(2, 130.5),), 4),
        b'{"type":"half_open","state":[2,1,3,[[2,130.5]],4]}',
    ),
    (ForcedOpen(9), b'{"type":"forced_open","state":[9]}'),
]


@pytest.mark.parametrize(("circuit", "data"), CIRCUITS)
def test_a_circuit_has_the_same_bytes_in_each_version(circuit: BreakerState, data: bytes) -> None:
    assert BREAKERS.encode(circuit) == data
    assert BREAKERS.decode(data) == circuit
    fleet = b'{"type":"fleet","circuit":%b,"streaks":[["a",3,110.5]]}' % data
    assert FLEETS.encode(Fleet(circuit, (Streak("a", 3, 110.5),))) == fleet
    assert FLEETS.decode(fleet) == Fleet(circuit, (Streak("a", 3, 110.5),))


def test_rates_and_budgets_have_the_same_bytes_in_each_version() -> None:
    assert RATES.encode(105.5) == b'{"type":"rate","full_at":105.5}'
    assert BUDGETS.encode(Tokens(4.0, 9.5)) == b'{"type":"budget","state":[4.0,9.5]}'


def test_keys_and_the_channel_have_the_same_names_in_each_version() -> None:
    one = Link("redis://cache", prefix="shop", timeout=1.0, when_down="local", clock=ManualClock())
    assert (one.key("breaker", "o"), one.channel) == ("shop:breaker:o", "shop:changes")


def test_no_process_counts_its_own_circuit_up_to_the_first_one_of_a_fleet() -> None:
    assert FIRST == 1_099_511_627_776


def test_as_many_successes_wait_as_fit_a_window() -> None:
    assert MAX_KEPT == 20
