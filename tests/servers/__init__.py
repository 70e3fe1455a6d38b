"""Real servers on loopback: one that misbehaves, one that behaves, a proxy, and TLS for all."""
