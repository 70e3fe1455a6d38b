"""Obeys the policies: the clock, retries, breakers and the other layers around an attempt."""
