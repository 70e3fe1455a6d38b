"""Authentication: interceptors that add credentials, and send a refused request once more."""

from railhttp.pipeline.interceptors.again import Again

__all__ = ["Again"]
