"""The functional faces: decoders, future and reader verbs, and combinators for domain code."""
