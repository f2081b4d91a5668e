"""XML from a file that may be hostile: no document type, no entities, no network, counted tags."""

from typing import Any

from lxml import etree

from core.verification.container import Container, too_much
from core.verification.finding import Broken

OFD = "{http://www.ofdspec.org/2016}"
_YEARLESS = "{http://www.ofdspec.org}"
_ENCODINGS = {"UTF-8", "ASCII", "US-ASCII", "GBK", "GB2312", "GB18030", None}


def read_markup(container: Container, name: str) -> etree._Element:
    """The root element of an XML member; raises ``Broken``."""
    data = container.read(name, container.limits.markup_bytes)
    container.count_nodes(data.count(b"<"))
    return parse_markup(data, name, container.limits.markup_nodes)


def parse_markup(data: bytes, name: str, nodes: int) -> etree._Element:
    """The root element of ``data``; raises ``Broken`` for anything that is not plain, small XML."""
    if data.count(b"<") > 2 * nodes or data.count(b"=") > 4 * nodes:
        raise too_much(f"{name} has more than {nodes} elements", f"{name} 的元素超过 {nodes} 个")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _doctype(name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Broken(
            "markup-malformed", f"{name} is not well-formed XML", f"{name} 不是格式良好的 XML"
        ) from error
    information: Any = root.getroottree().docinfo
    if information.doctype:
        raise _doctype(name)
    if information.encoding is not None and information.encoding.upper() not in _ENCODINGS:
        raise Broken("markup-encoding", f"{name} is in an unusual encoding", f"{name} 的编码异常")
    return _in_one_namespace(root)


def _in_one_namespace(root: etree._Element) -> etree._Element:
    """Documents of a widespread producer leave the year out of the namespace; they are read as if it were there."""
    if root.tag.startswith(_YEARLESS):
        for element in root.iter(f"{_YEARLESS}*"):
            element.tag = OFD + etree.QName(element).localname
    return root


def child(element: etree._Element, tag: str) -> etree._Element | None:
    """The only child element ``tag`` of the OFD namespace, or None; raises ``Broken`` when there are several."""
    found = element.findall(OFD + tag)
    if len(found) > 1:
        raise Broken("markup-ambiguous", f"{tag} stands more than once", f"{tag} 出现多次")
    return found[0] if found else None


def text_of(element: etree._Element | None) -> str:
    """The text of an element without surrounding blanks; empty for None."""
    return (element.text or "").strip() if element is not None else ""


def location(base: str, place: str) -> str:
    """Member name of an ST_Loc: absolute with a leading slash, else relative to the member ``base``; raises ``Broken``."""
    parts = [] if place.startswith("/") else base.split("/")[:-1]
    for part in place.strip("/").split("/"):
        if part == ".." and not parts:
            raise Broken(
                "location", f"the location {place!r} leads out of the file", f"位置 {place!r} 越出文件范围"
            )
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _doctype(name: str) -> Broken:
    return Broken(
        "markup-doctype", f"{name} has a document type or entities", f"{name} 含有文档类型或实体声明"
    )
