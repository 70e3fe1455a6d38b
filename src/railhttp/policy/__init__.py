"""Decisions: `(state, event, now) -> decision`. They never wait; the pipeline obeys them."""
