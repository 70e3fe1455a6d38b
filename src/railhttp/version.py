"""The version, told once: the package's metadata and the User-Agent take it from here."""

__version__ = "0.2.0"
