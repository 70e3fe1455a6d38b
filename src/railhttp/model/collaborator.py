"""What is plugged in: any object that has the methods which will be called."""

from returns.result import Result, Success

from railhttp.model.errors import HTTPValidationError
from railhttp.model.validation import refusal, shown


def check_collaborator(
    value: object, *methods: str, field: str
) -> Result[object, HTTPValidationError]:
    """Check an object that is plugged in, by its methods and not by its class.

    A class is refused: it has the methods too, but no object for them to work on.

    Args:
        value: Anything.
        *methods: The names of the methods that will be called.
        field: The name of the argument in the refusal.

    Returns:
        The object.

    Example:
        >>> str(check_collaborator("fast", "execute", field="retry_policy").failure())
        'retry_policy: must be an object with `execute`, got str'
        >>> str(check_collaborator(dict, "keys", "values", field="store").failure())
        'store: must be an object with `keys` and `values`, got the class dict'
    """
    if isinstance(value, type):
        found = f"the class {value.__name__}"
    elif all(callable(getattr(value, method, None)) for method in methods):
        return Success(value)
    else:
        found = shown(value)
    wanted = " and ".join(f"`{method}`" for method in methods)
    return refusal(f"must be an object with {wanted}, got {found}", field)
