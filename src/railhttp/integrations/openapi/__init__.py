"""Generates declared services from OpenAPI documents; needs `railhttp[openapi]`.

The generated modules import railhttp, and the package of their models, but not this one.
"""
