"""The window of a breaker: ten buckets that are forgotten one by one."""

from railhttp.policy.window import Window, bucket_end


def test_a_window_forgets_its_oldest_bucket_when_another_begins() -> None:
    window = Window().record(False, now=0.0, span=10.0).record(True, now=9.5, span=10.0, calls=3)
    assert window.sums() == (4, 3)
    assert window.record(False, now=10.5, span=10.0).sums() == (4, 3)


def test_a_bucket_ends_where_the_next_begins() -> None:
    assert (bucket_end(29.9, span=30.0), bucket_end(30.0, span=30.0)) == (30.0, 33.0)
