"""Which cookies a server may set (RFC 6265, section 5.3; RFC 6265bis, section 4.1.3)."""

from collections.abc import Mapping

from yarl import URL


def may_be_set(name: str, value: str, attributes: Mapping[str, object], url: URL) -> bool:
    """Decide whether a cookie is taken; that its domain is one of the host's is checked elsewhere.

    Refused are a domain without an inner dot, such as `com`, unless it is the host itself; a name
    that begins with `__Secure-` or `__Host-` and does not keep what it promises; and a value with
    a semicolon, behind which a server would read a cookie of another name. There is no list of
    public suffixes here: a domain such as `co.uk` is taken.

    Args:
        name: The cookie's name.
        value: Its value, as it came.
        attributes: `domain`, `path` and `secure`, empty where they were not sent.
        url: Where it came from.

    Example:
        >>> sent = {"domain": "com", "path": "/", "secure": False}
        >>> may_be_set("sid", "7", sent, URL("https://example.com/"))
        False
        >>> may_be_set("sid", "7", sent | {"domain": ".example.com"}, URL("https://example.com/"))
        True
    """
    domain = str(attributes["domain"]).strip(".")
    if ";" in value or (domain and "." not in domain and domain != url.raw_host):
        return False
    secure = bool(attributes["secure"]) and url.scheme == "https"
    folded = name.lower()
    if folded.startswith("__host-"):
        return secure and attributes["path"] == "/" and not attributes["domain"]
    return secure or not folded.startswith("__secure-")
