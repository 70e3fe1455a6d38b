"""A transport that plays a script, for tests and for `HTTPModule.stub()`."""
