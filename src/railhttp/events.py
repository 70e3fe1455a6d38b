"""Events for observers, and what instruments observe."""

from railhttp.model.events import (
    CircuitChangedEvent,
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
from railhttp.model.gauges import (
    CircuitState,
    ClientGauges,
    GaugeSource,
    GaugeWatcherProtocol,
    PoolGauges,
)
from railhttp.model.observation import (
    RequestFinished,
    RequestStarted,
)
from railhttp.model.timings import Timings
from railhttp.pipeline.observation.instruments import (
    BodyObservationProtocol,
    EventInstrumentProtocol,
    InstrumentProtocol,
    MetricsRecorderProtocol,
    ObservationProtocol,
    RedirectObservationProtocol,
)
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
