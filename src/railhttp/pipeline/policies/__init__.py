"""What decides about each attempt: retries, breakers, bulkheads, rate limits and timeouts."""
