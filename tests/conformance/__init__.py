"""One suite for all exchanges: the promises of the client must not depend on the transport."""
