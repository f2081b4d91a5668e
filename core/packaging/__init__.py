"""Packaging: composes the face of a licence from its style and writes the OFD, the PDF and the pictures of it."""
