"""Instruments observe calls and attempts; events, metrics, the log and traces are instruments."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from railhttp.model.observation import RequestFinished, RequestStarted
from railhttp.model.response import HttpResponse

if TYPE_CHECKING:
    from railhttp.model.events import LayerEvent


class ObservationProtocol(Protocol):
    """The observation of one call or attempt, kept until its end."""

    def ended(self, finished: RequestFinished, /) -> None:
        """Handle the end; called exactly once, in the task of the beginning."""
        ...


@runtime_checkable
class BodyObservationProtocol(ObservationProtocol, Protocol):
    """An observation that follows the body of a stream; any observation may be one."""

    def body_ended(self, finished: RequestFinished, /) -> None:
        """Handle the end of a body, which comes after an `ended` whose `streams` is True.

        It is called exactly once, in any task. `failure` is None unless the body broke off: also if
        the caller did not read it to its end.
        """
        ...


@runtime_checkable
class RedirectObservationProtocol(ObservationProtocol, Protocol):
    """An observation of an attempt that follows its redirects; any observation may be one."""

    def redirected(self, answer: HttpResponse, hop: RequestStarted, /) -> None:
        """Handle a redirect.

        Args:
            answer: The response that redirects.
            hop: The next request; header fields added to its `added` are sent.
        """
        ...


@runtime_checkable
class EventInstrumentProtocol(Protocol):
    """An instrument that is passed the events of the layers, too; any instrument may be one.

    Example:
        >>> from railhttp.events import LayerEvent
        >>> class Printing:
        ...     def event_occurred(self, event: LayerEvent) -> None:
        ...         print(event)
        >>> isinstance(Printing(), EventInstrumentProtocol)
        True
    """

    def event_occurred(self, event: "LayerEvent", /) -> None:
        """Handle an event; called synchronously, in the task of the call that noticed it."""
        ...


@runtime_checkable
class InstrumentProtocol(Protocol):
    """Observes every call and every attempt of it.

    Its methods are called synchronously, so they must be quick. Exceptions from them are logged and
    never reach the call. An instrument with an attribute `asks_for_timings` that is true makes the
    client time the phases of its requests; see `HttpResponse.timings`.

    Example:
        >>> class Numbered:
        ...     def call_started(self, call: RequestStarted) -> None: ...
        ...     def attempt_started(self, attempt: RequestStarted) -> None:
        ...         attempt.added["X-Attempt"] = str(attempt.attempt)
        >>> isinstance(Numbered(), InstrumentProtocol)
        True
    """

    def call_started(self, call: RequestStarted, /) -> ObservationProtocol | None:
        """Handle the beginning of a call.

        Returns:
            The observation that handles the end; None if the end does not matter.
        """
        ...

    def attempt_started(self, attempt: RequestStarted, /) -> ObservationProtocol | None:
        """Handle the beginning of an attempt, after all interceptors and just before it is sent.

        Args:
            attempt: The attempt; header fields added to its `added` are sent too.

        Returns:
            See `call_started`.
        """
        ...


@runtime_checkable
class MetricsRecorderProtocol(Protocol):
    """Records measurements; `CallMetrics` lists those of a client.

    Tags are names with values, both text.
    """

    def increment(
        self, name: str, value: float = 1.0, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Set a value that goes up and down."""
        ...

    def histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Add a value to a distribution."""
        ...
