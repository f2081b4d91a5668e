"""Protocols between the licence domain and everything that does I/O for it."""
