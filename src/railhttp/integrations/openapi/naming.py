"""Python names for the names of an OpenAPI document."""

import builtins
import keyword
import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")
_RESERVED: Final = frozenset(
    {
        *("Annotated", "Any", "BaseModel", "Body", "Decimal", "Enum", "Field", "Final", "Header"),
        *("HttpResponse", "Literal", "Meta", "Query", "RootModel", "Service", "StrEnum", "Struct"),
        *("TypeAlias", "UNSET", "UUID", "UnsetType", "AwareDatetime", "Optional", "Union", "List"),
        *("ServerSentEvent", "Dict"),
    }
)
_USED: Final = frozenset(
    {
        *("get", "put", "post", "delete", "patch", "head", "request", "binding", "dt"),
        *("list", "dict", "str", "int", "float", "bool", "object", "bytes", "range"),
    }
)
"""Names that the generated module uses: a field or an endpoint of such a name would hide it."""


def pascal(text: str) -> str:
    """Make the name of a class.

    Example:
        >>> pascal("show-pet_byID"), pascal("2fa"), pascal("List")
        ('ShowPetByID', 'N2fa', 'ListModel')
    """
    name = "".join(word[0].upper() + word[1:] for word in _WORD.findall(text)) or "Model"
    name = f"N{name}" if name[0].isdigit() else name
    taken = name in _RESERVED or keyword.iskeyword(name) or hasattr(builtins, name)
    return f"{name}Model" if taken else name


def snake(text: str) -> str:
    """Make the name of an argument or a method.

    Example:
        >>> snake("showPetById"), snake("page-size"), snake("class"), snake("list")
        ('show_pet_by_id', 'page_size', 'class_', 'list_')
    """
    name = "_".join(word.lower() for word in _WORD.findall(text)) or "value"
    name = f"n{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) or name in _USED else name


def unique(name: str, taken: set[str]) -> str:
    """Make a name that is not taken, and take it.

    Example:
        >>> unique("Pet", {"Pet", "Pet2"})
        'Pet3'
    """
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    taken.add(free)
    return free
