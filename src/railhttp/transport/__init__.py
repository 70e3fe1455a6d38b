"""One request out, one response in: the only room that names aiohttp."""
