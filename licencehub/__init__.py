"""Composition root, command line and the names a third-party adapter may import."""
