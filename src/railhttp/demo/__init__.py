"""A small server on loopback, for every example of the documents.

$ python -m railhttp.demo
http://127.0.0.1:41235
"""

from railhttp.demo.server import DemoServer

__all__ = ["DemoServer"]
