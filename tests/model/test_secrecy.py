"""A function that forgets its arguments keeps them out of the tracebacks of its errors."""

import traceback

import pytest

from railhttp.model.errors import HTTPValidationError
from railhttp.model.secrecy import forgets_arguments


@forgets_arguments
def login(user: str, password: str = "") -> str:
    """Log a user in."""
    if not password:
        raise KeyError(user)
    try:
        return password.encode("ascii").decode()
    except UnicodeEncodeError:
        raise HTTPValidationError("must be ASCII", field="password")  # noqa: B904  # its context


def test_arguments_and_results_pass_and_the_function_keeps_its_name() -> None:
    assert login("ann", "pw") == login("ann", password="pw") == "pw"
    assert (login.__name__, login.__doc__) == ("login", "Log a user in.")


def test_the_traceback_of_a_refusal_has_no_frame_with_arguments() -> None:
    with pytest.raises(HTTPValidationError) as caught:
        login("ann", password="s3crét")
    error = caught.value
    assert (error.field, error.__context__, error.__cause__) == ("password", None, None)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [frame.f_code.co_name for frame in frames]
    assert names == ["test_the_traceback_of_a_refusal_has_no_frame_with_arguments", "call"]
    assert not {"args", "kwargs"} & frames[1].f_locals.keys()


def test_another_exception_passes_with_its_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        login("ann")
    frames = traceback.walk_tb(caught.value.__traceback__)
    assert [frame.f_code.co_name for frame, _ in frames][1:] == ["call", "login"]
