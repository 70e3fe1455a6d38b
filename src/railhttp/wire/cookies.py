"""The cookies that a server may set (RFC 6265, section 5.3; RFC 6265bis, section 4.1.3)."""

from collections.abc import Mapping

from yarl import URL


def may_be_set(name: str, value: str, attributes: Mapping[str, object], url: URL) -> bool:
    """Whether a cookie is accepted; the caller checks that its domain matches the host.

    Refused are: a domain without an inner dot, such as `com`, unless it is the host itself; a name
    with the prefix `__Secure-` or `__Host-` whose attributes break the rules of the prefix; a value
    with a semicolon, because a server would read the rest as another cookie. Without a list of
    public suffixes, a domain such as `co.uk` is accepted.

    Args:
        value: The value, as received.
        attributes: `domain`, `path` and `secure`, empty if they were not sent.
        url: The URL that set the cookie.

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
