"""Policies: retries, breakers, bulkheads, rate limits and timeouts."""
