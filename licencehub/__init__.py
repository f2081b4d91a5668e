"""Composition root, command line and the names a third-party adapter may import."""

__version__ = "0.1.0"
