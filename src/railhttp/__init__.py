"""railhttp: an async HTTP client in which every failure is a typed value."""
