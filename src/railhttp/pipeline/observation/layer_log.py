"""Logs the events of layers; `request_log` logs calls and attempts.

A circuit that opens, a budget that is used up and a shared store that is down are warnings of the
logger `railhttp`. Other changes of a circuit and the return of a store are logged at INFO. Waits
are logged at INFO on `railhttp.request`, redirects at DEBUG. The fields of the event are attributes
of the record, `url` and `call_id` among them.
"""

import logging
from collections.abc import Mapping
from typing import Final, assert_never

from railhttp.model.events import (
    CircuitChangedEvent,
    LayerEvent,
    RedirectEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    WaitEvent,
    WhenDown,
)

_LOG: Final = logging.getLogger("railhttp")
_REQUESTS: Final = logging.getLogger("railhttp.request")
_QUEUES: Final = {"pool": "the pool", "rate_limit": "the rate limit", "bulkhead": "the bulkhead"}

_EFFECTS: Final[Mapping[WhenDown, str]] = {
    "local": "states stay in this process until it is back",
    "refuse": "calls are refused until it is back",
    "raise": "calls fail until it is back",
}


def log_event(event: LayerEvent) -> None:
    """Log an event."""
    match event:
        case CircuitChangedEvent(name=name, before=before, after=after):
            level = logging.WARNING if after == "open" else logging.INFO
            # Not `name`: every record has an attribute of that name.
            extra = {"circuit": name, "before": before, "after": after} | _identity(event)
            circuit = f"circuit {name}" if name else "the circuit"
            _LOG.log(level, "%s changed from %s to %s", circuit, before, after, extra=extra)
        case RetryBudgetExhaustedEvent(origin=origin):
            extra = {"origin": origin} | _identity(event)
            _LOG.warning("the retry budget of %s is used up", origin or "a function", extra=extra)
        case WaitEvent():
            _log_wait(event)
        case RedirectEvent(status_code=status, target=target):
            words = (event.method, event.url, status, target)
            extra = {"status": status, "target": target} | _identity(event)
            _REQUESTS.debug("%s %s: %d redirects to %s", *words, extra=extra)
        case StoreDownEvent(store=store, problem=problem, when_down=when_down):
            extra = {"store": store, "problem": problem, "when_down": when_down}
            effect = _EFFECTS[when_down]
            _LOG.warning("the store %r is down (%s): %s", store, problem, effect, extra=extra)
        case StoreBackEvent(store=store, seconds=seconds):
            extra = {"store": store, "seconds": seconds}
            _LOG.info("the store %r is back after %.1f s", store, seconds, extra=extra)
        case _:
            assert_never(event)


def _log_wait(event: WaitEvent) -> None:
    _REQUESTS.info(
        "%s %s: %s %.3f s for %s",
        event.method or "a function",
        event.url,
        "waited" if event.admitted else "waited in vain",
        event.seconds,
        _QUEUES[event.queue],
        extra={
            "queue": event.queue,
            "seconds": event.seconds,
            "admitted": event.admitted,
            **_identity(event),
        },
    )


def _identity(event: LayerEvent) -> dict[str, object]:
    return {"method": event.method, "url": event.url, "call_id": event.call_id}
