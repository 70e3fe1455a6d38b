"""One suite for all exchanges: what the client promises must not depend on what sends."""
