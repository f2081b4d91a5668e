"""Judging sealed OFD and signed PDF files, the hub's own and anybody's, without a network (docs/verification.md)."""
