"""Values: what a request, a response and a failure are. No I/O, no clock, no chance."""
