"""Observation: instruments, events, metrics and the log."""
