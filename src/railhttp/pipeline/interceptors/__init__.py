"""Interceptors: the chain, and the ready-made ones."""
