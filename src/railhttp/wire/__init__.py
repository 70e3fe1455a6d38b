"""Bytes to values and back, sans I/O: content codings, multipart, lines, server-sent events."""
