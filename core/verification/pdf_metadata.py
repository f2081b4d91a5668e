"""What the XMP metadata of a PDF tells people (ISO 16684-1), apart from which tool wrote it when."""

from lxml import etree

from core.verification.finding import Broken
from core.verification.limits import DEFAULT
from core.verification.markup import parse_markup
from core.verification.pdf_syntax import StructureError

_XMP = "http://ns.adobe.com/xap/1.0/"
_HISTORY = "http://ns.adobe.com/xap/1.0/mm/"
_OF_TOOLS = {
    f"{{{_XMP}}}ModifyDate",
    f"{{{_XMP}}}MetadataDate",
    f"{{{_XMP}}}CreatorTool",
    "{http://ns.adobe.com/pdf/1.3/}Producer",
}
_TOOLKIT = "{adobe:ns:meta/}"


def told_by_xmp(data: bytes) -> str:
    """The statements of an XMP packet, one a line in a fixed order; raises ``StructureError`` when it is none."""
    try:
        root = parse_markup(data.strip(b"\0\t\n\r "), "XMP", DEFAULT.markup_nodes)
    except Broken as error:
        raise StructureError("the XMP metadata cannot be read") from error
    return "\n".join(sorted(_statements(root, "")))


def _statements(element: etree._Element, path: str) -> list[str]:
    here = path + "/" + str(element.tag)
    told = [(str(name), str(value)) for name, value in element.attrib.items()]
    found = [f"{here}/{name}={value}" for name, value in told if _is_told(name)]
    if text := (element.text or "").strip():
        found.append(f"{here}={text}")
    for child in element.iterchildren(tag=etree.Element):
        if _is_told(str(child.tag)):
            found += _statements(child, here)
    return found


def _is_told(name: str) -> bool:
    return name not in _OF_TOOLS and not name.startswith((f"{{{_HISTORY}}}", _TOOLKIT + "xmptk"))
