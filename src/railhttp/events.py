"""Events for observers, and what instruments observe."""

from railhttp.model.events import (
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
)
from railhttp.model.observation import (
    RequestFinished,
    RequestStarted,
)
from railhttp.pipeline.observation.instruments import (
    InstrumentProtocol,
    ObservationProtocol,
)
from railhttp.pipeline.observation.metrics import MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer

__all__ = [
    "HTTPEvent",
    "HTTPRequestSentHook",
    "HTTPResponseReceivedHook",
    "InstrumentProtocol",
    "MetricsRecorderProtocol",
    "ObservationProtocol",
    "Observer",
    "RequestCompletedEvent",
    "RequestFinished",
    "RequestRetryExhaustedEvent",
    "RequestStarted",
    "RequestTimeoutEvent",
]
