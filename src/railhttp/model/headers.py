"""Header fields: reading, merging, checking (RFC 9110, section 5)."""


def charset_of(content_type: str) -> str:
    """Find the charset parameter of a `Content-Type` value, `utf-8` where there is none.

    Example:
        >>> charset_of('text/html; charset="ISO-8859-1"')
        'iso-8859-1'
    """
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower() or "utf-8"
    return "utf-8"
