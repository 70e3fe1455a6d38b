"""Sends one request and receives one response: the only room that imports aiohttp."""
