"""How fast it is: measured beside others, written to `results/`; see README.md."""
