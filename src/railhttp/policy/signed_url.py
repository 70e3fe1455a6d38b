"""URLs that carry a signature, which changes while the resource stays the same."""

from typing import Final

_PREFIXES: Final = ("x-amz-", "x-goog-", "x-oss-", "x-ms-", "q-sign-", "q-key-")
_SIGNATURES: Final = frozenset({"signature", "sig", "hmac", "token", "hdnea", "hdnts"})
_WITH_A_SIGNATURE: Final = frozenset(
    {
        *("expires", "expiry", "exp", "policy", "key-pair-id", "hash-algorithm", "keyname"),
        *("awsaccesskeyid", "googleaccessid", "ossaccesskeyid", "security-token", "q-ak"),
        # Shared access signatures of Azure.
        *("sv", "ss", "srt", "sr", "sp", "st", "se", "spr", "sip", "si", "sdd", "ses"),
        *("skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"),
    }
)


def without_signature(url: str) -> str:
    """Return a URL without the parameters by which storage services sign it.

    Two such URLs name the same file, although its content may have changed between them.
    Parameters that choose a file or a version of it, such as `versionId`, stay.

    Args:
        url: An absolute URL.

    Example:
        >>> without_signature("https://h/f.zip?versionId=3&X-Amz-Date=1&X-Amz-Signature=ab")
        'https://h/f.zip?versionId=3'
        >>> without_signature("https://h/f.zip?page=2&expires=never")
        'https://h/f.zip?page=2&expires=never'
    """
    address, question, query = url.partition("#")[0].partition("?")
    parameters = query.split("&")
    names = [parameter.partition("=")[0].lower() for parameter in parameters]
    dropped = {name for name in names if name in _SIGNATURES or name.startswith(_PREFIXES)}
    if not dropped:
        return address + question + query
    dropped |= _WITH_A_SIGNATURE
    kept = [one for one, name in zip(parameters, names, strict=True) if name not in dropped]
    return f"{address}?{'&'.join(kept)}" if kept else address
