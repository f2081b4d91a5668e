"""What an OFD says of its licence, for the report; the data step judges it."""

from dataclasses import replace

from core.packaging.ofd_reader import read_content
from core.verification.container import Container
from core.verification.finding import Finding
from core.verification.report import Content

_CONTENT_BYTES = 8 * 1024 * 1024
"""Attachments and pages are held in memory together, so together they are bounded."""


def content_of(container: Container) -> Content:
    """Metadata, face items and drawn text; empty when the parts cannot be read within the limits."""
    limits = replace(container.limits, content_bytes=_CONTENT_BYTES)
    try:
        found = read_content(Container(container.data, container.members, container.uncovered, limits))
    except Finding:
        return Content()
    return Content({**found.custom_data, **found.metadata}, dict(found.face_items), found.text)
