"""Bridges to other libraries, each in its own extra; `railhttp` itself imports none of them."""
