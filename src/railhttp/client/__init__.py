"""The clients: they assemble the rooms below and own the boundary from errors to `Result`."""
