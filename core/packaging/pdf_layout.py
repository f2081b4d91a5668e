"""Object numbers inside the PDF files the hub writes: first the shared ones, then those of one licence."""

BASE_IMAGE = 1
GROUND = 2
SHARED_FONT = 3
COLOUR_PROFILE = 8
OUTPUT_INTENT = 9
WATERMARK_STATE = 10
SEAL_IMAGE = 11
SEAL_MASK = 12
SEAL_APPEARANCE = 13
SEAL_STATE = 14
LAST_SHARED = 14

CATALOG = 15
PAGES = 16
PAGE = 17
CONTENT = 18
QR_IMAGE = 19
METADATA_FILE, METADATA_SPEC = 20, 21
LICENCE_FILE, LICENCE_SPEC = 22, 23
XMP = 24
OWN_FONT = 25
LAST_OWN = 29
FIRST_SCAN = 25
"""Scanned pages need no font of their own: page, content and image of each are numbered from here."""
OBJECTS_PER_SCAN = 3

SHARED_FONT_NAME, OWN_FONT_NAME = "F1", "F2"
WATERMARK_STATE_NAME = "GSw"
BASE_IMAGE_NAME, QR_NAME, SEAL_NAME, SEAL_STATE_NAME = "Im0", "Qr", "Seal", "GSs"
