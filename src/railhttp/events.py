"""Events for observers, and what instruments observe."""

from railhttp.model.events import (
    CircuitChangedEvent,
    CircuitState,
    HTTPEvent,
    HTTPRequestSentHook,
    HTTPResponseReceivedHook,
    LayerEvent,
    RedirectEvent,
    RequestCompletedEvent,
    RequestRetryExhaustedEvent,
    RequestTimeoutEvent,
    RetryBudgetExhaustedEvent,
    StoreBackEvent,
    StoreDownEvent,
    StoreEvent,
    StreamFailedEvent,
    WaitEvent,
)
from railhttp.model.gauges import ClientGauges, GaugeSource, GaugeWatcherProtocol, PoolGauges
from railhttp.model.observation import (
    RequestFinished,
    RequestStarted,
)
from railhttp.model.timings import Timings
from railhttp.pipeline.observation.instruments import (
    BodyObservationProtocol,
    EventInstrumentProtocol,
    InstrumentProtocol,
    ObservationProtocol,
    RedirectObservationProtocol,
)
from railhttp.pipeline.observation.metrics import MetricsRecorderProtocol
from railhttp.pipeline.observation.observer_queue import Observer

__all__ = [
    "BodyObservationProtocol",
    "CircuitChangedEvent",
    "CircuitState",
    "ClientGauges",
    "EventInstrumentProtocol",
    "GaugeSource",
    "GaugeWatcherProtocol",
    "HTTPEvent",
    "HTTPRequestSentHook",
    "HTTPResponseReceivedHook",
    "InstrumentProtocol",
    "LayerEvent",
    "MetricsRecorderProtocol",
    "ObservationProtocol",
    "Observer",
    "PoolGauges",
    "RedirectEvent",
    "RedirectObservationProtocol",
    "RequestCompletedEvent",
    "RequestFinished",
    "RequestRetryExhaustedEvent",
    "RequestStarted",
    "RequestTimeoutEvent",
    "RetryBudgetExhaustedEvent",
    "StoreBackEvent",
    "StoreDownEvent",
    "StoreEvent",
    "StreamFailedEvent",
    "Timings",
    "WaitEvent",
]
