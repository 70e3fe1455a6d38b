"""Counts the processor instructions of a call, which other load on the machine does not change."""
