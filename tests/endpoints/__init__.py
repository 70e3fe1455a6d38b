"""Declared endpoints."""
