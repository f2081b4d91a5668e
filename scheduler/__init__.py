"""One leader by lease, and the triggers that run in it."""
