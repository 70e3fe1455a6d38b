"""Whether a response of a stub is one that its endpoint declares."""

from collections.abc import Mapping, Sequence
from typing import Final

from multidict import CIMultiDict
from returns.pipeline import is_successful

from railhttp.endpoints.codec import write_document
from railhttp.endpoints.endpoint import Answered
from railhttp.endpoints.responses import Answer
from railhttp.model.errors import HTTPValidationError
from railhttp.model.response import HttpResponse

_NO_BODY: Final = frozenset({204, 304})


class ContractBroken(BaseException):  # the documented name
    """A stub returns what its endpoint does not declare, or what its client cannot read back.

    This is not an `Exception`, so that neither a policy nor a `Result` can take it for a failure
    of HTTP: the test fails at the call.
    """


def checked_response(
    answers: Sequence[Answer],
    value: object,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Write a value as the response that its endpoint declares for it, and read it back.

    Args:
        answers: The declared responses that the value may be.
        value: The value.
        status: The status; None for the first one that is declared for such a value.
        headers: More header fields.

    Raises:
        ContractBroken: The value does not come back equal from any of the responses.
    """
    fields = CIMultiDict(headers or {})
    if isinstance(value, Answered):
        fields.extend(dict(value.response.headers))
        value = value.value
    problems = []
    for one in answers:
        for code in one.statuses if status is None else {status} & {*one.statuses}:
            try:
                response = _written(one, value, code, fields)
            except ValueError as error:
                problems.append(str(error))
                break
            return response
    expected = " or ".join(_name(one.model) for one in answers) or "nothing"
    if status is not None and not problems:
        problems = [f"status {status} is not declared for it"]
    reason = f": {problems[0]}" if problems else ""
    raise ContractBroken(f"{type(value).__name__} does not come back as {expected}{reason}")


def _written(answer: Answer, value: object, status: int, fields: CIMultiDict[str]) -> HttpResponse:
    if answer.model is HttpResponse:
        if not isinstance(value, HttpResponse) or value.status not in answer.statuses:
            raise ValueError("must be an HttpResponse of a declared status")
        return value
    if answer.model in {None, type(None)}:
        if value is not None:
            raise ValueError("must be None")
        return HttpResponse(status, fields)
    if status in _NO_BODY:
        raise ValueError(f"a {status} has no body (RFC 9110, section 6.4.1)")
    try:
        body, content_type = write_document(value)
    except HTTPValidationError as error:
        raise ValueError(error.message) from None
    response = HttpResponse(status, {"Content-Type": content_type} | dict(fields), body)
    result = answer.read(response)
    if not is_successful(result):
        failure = result.failure()
        raise ValueError(f"{failure.where}: {failure.message}".removeprefix(": "))
    if not _same(result.unwrap(), value):
        raise ValueError("it is not equal")
    return response


def _same(found: object, value: object) -> bool:
    return bool(type(found) is type(value) and found == value)


def _name(model: object) -> str:
    return model.__name__ if isinstance(model, type) else str(model)
