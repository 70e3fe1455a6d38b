"""Declared services generated from OpenAPI documents; needs `railhttp[openapi]`, and only then.

What it generates depends on railhttp alone, and on the package of the models that were asked for.
"""
