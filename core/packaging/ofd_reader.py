"""Reads what an OFD says and shows: document information, metadata, attachments, drawn text, face items.

Works on the hub's own files and, as far as they have the parts, on those of others. Container and XML are read
within limits.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson
from lxml import etree

from core.packaging import ofd_layout as at
from core.verification.container import Container, open_container
from core.verification.limits import DEFAULT, Limits
from core.verification.markup import OFD, child, location, parse_markup, read_markup, text_of

_FACE = f"{{{at.FACE_ITEMS_NAMESPACE}}}"
_DATA_NAMES = (f"{OFD}CustomData", f"{OFD}CuslomData")
"""The second is a slip of the pen of a widespread writer (FIELD 1.2)."""


class OfdContent(msgspec.Struct, frozen=True, kw_only=True):
    """What the first document of an OFD holds."""

    information: Mapping[str, str]
    """DocInfo: DocID, Title, Author, CreationDate …"""
    custom_data: Mapping[str, str]
    """CustomDatas of DocInfo."""
    metadata: Mapping[str, str]
    """Values by code (GB/T 36903) of the metadata attachment; those of ``custom_data`` where there is none."""
    licence: Mapping[str, Any] | None
    """The licence JSON of the hub's own packages."""
    face_items: Mapping[str, str]
    """Text drawn for each item, by code, as the custom tags tie them together."""
    text: tuple[str, ...]
    """Every line drawn on the pages, templates first, in drawing order."""
    attachments: Mapping[str, bytes]
    """By name."""
    page_count: int


def read_ofd(data: bytes, limits: Limits = DEFAULT) -> OfdContent:
    """The content of an OFD; raises ``Finding`` (``Broken``, ``Undecided``) for a file that is not sane."""
    return read_content(open_container(data, limits))


def read_content(container: Container) -> OfdContent:
    """The content of an opened OFD; raises ``Finding``."""
    body = child(read_markup(container, at.DOCUMENT_ENTRY), "DocBody")
    information = child(body, "DocInfo") if body is not None else None
    root = location(at.DOCUMENT_ENTRY, text_of(child(body, "DocRoot")) if body is not None else "")
    document = read_markup(container, root)
    custom = _custom_data(information)
    attachments = dict(_attachments(container, root, document))
    pages = list(_pages(container, root, document))
    objects = dict(text for page, content in pages for text in _texts(page, content))
    metadata = attachments.get(at.METADATA_ATTACHMENT)
    return OfdContent(
        information=_simple(information),
        custom_data=custom,
        metadata=_metadata(metadata, container.limits) if metadata else custom,
        licence=_licence(attachments.get(at.LICENCE_ATTACHMENT)),
        face_items=dict(_face_items(container, root, document, objects)),
        text=tuple(line for lines in objects.values() for line in lines),
        attachments=attachments,
        page_count=sum(1 for page, _ in pages if not page.startswith("template ")),
    )


def _simple(information: etree._Element | None) -> dict[str, str]:
    if information is None:
        return {}
    return {element.tag.removeprefix(OFD): text_of(element) for element in information if not len(element)}


def _custom_data(root: etree._Element | None) -> dict[str, str]:
    if root is None:
        return {}
    found = (element for name in _DATA_NAMES for element in root.iter(name))
    return {element.get("Name") or element.get("name") or "": text_of(element) for element in found}


def _metadata(data: bytes, limits: Limits) -> dict[str, str]:
    return _custom_data(parse_markup(data, "metadata", limits.markup_nodes))


def _licence(data: bytes | None) -> dict[str, Any] | None:
    try:
        value = orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _attachments(container: Container, root: str, document: etree._Element) -> Iterator[tuple[str, bytes]]:
    place = text_of(child(document, "Attachments"))
    if not place:
        return
    listing = location(root, place)
    for entry in read_markup(container, listing).iter(f"{OFD}Attachment"):
        name = location(listing, text_of(child(entry, "FileLoc")))
        yield entry.get("Name", ""), container.read(name, container.limits.markup_bytes)


def _pages(container: Container, root: str, document: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    common = child(document, "CommonData")
    templates = common.iter(f"{OFD}TemplatePage") if common is not None else iter(())
    for template in templates:
        yield f"template {template.get('ID')}", _content(container, root, template)
    pages = child(document, "Pages")
    for page in pages.iter(f"{OFD}Page") if pages is not None else ():
        yield page.get("ID", ""), _content(container, root, page)


def _content(container: Container, root: str, page: etree._Element) -> etree._Element:
    return read_markup(container, location(root, page.get("BaseLoc", "")))


Objects = dict[tuple[str, str], tuple[str, ...]]
"""Lines of each text object by (page, object id)."""


def _texts(page: str, content: etree._Element) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    for element in content.iter(f"{OFD}TextObject"):
        lines = tuple(str(code.xpath("string()")) for code in element.iter(f"{OFD}TextCode"))
        yield (page, element.get("ID", "")), lines


def _face_items(
    container: Container, root: str, document: etree._Element, objects: Objects
) -> Iterator[tuple[str, str]]:
    place = text_of(child(document, "CustomTags"))
    if not place:
        return
    listing = location(root, place)
    for tag in read_markup(container, listing).iter(f"{OFD}CustomTag"):
        if tag.get("NameSpace") != at.FACE_ITEMS_NAMESPACE:
            continue
        items = read_markup(container, location(listing, text_of(child(tag, "FileLoc"))))
        for item in items.iter(f"{_FACE}Item"):
            yield item.get("Code", ""), _drawn(item, objects)


def _drawn(item: etree._Element, objects: Objects) -> str:
    """Text of an item; the lines it was broken into count as one."""
    references = item.iter(f"{_FACE}ObjectRef")
    lines = (objects.get((ref.get("PageRef", ""), text_of(ref)), ()) for ref in references)
    return "".join(line for run in lines for line in run)
