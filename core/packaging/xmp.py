"""XMP metadata of a PDF (ISO 16684-1) with its PDF/A identification (ISO 19005-3, level U)."""

from core.packaging.markup import escape
from core.packaging.metadata import CHINA_TIME, CREATOR, CREATOR_VERSION
from core.packaging.request import PackageRequest

_HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
    "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>"
)
_TAIL = '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'


def _text(text: str) -> str:
    """Escaped, slashes too: the packet stands in clear in the file, where a name could spell a word of PDF syntax."""
    return escape(text).replace("/", "&#47;")


def xmp_packet(request: PackageRequest) -> bytes:
    """The XMP packet of a licence's PDF: title, issuer, identifier, moment."""
    record = request.record
    moment = request.made_at.astimezone(CHINA_TIME).isoformat(timespec="seconds")
    tool = f"{CREATOR} {CREATOR_VERSION}"
    return (
        f"{_HEAD}<dc:format>application/pdf</dc:format>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{_text(record.licence_name)}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{_text(record.issuer_name)}</rdf:li></rdf:Seq></dc:creator>"
        f"<dc:identifier>{_text(request.identifier)}</dc:identifier>"
        f"<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>"
        f"<xmp:MetadataDate>{moment}</xmp:MetadataDate><xmp:CreatorTool>{tool}</xmp:CreatorTool>"
        f"<pdf:Producer>{tool}</pdf:Producer>{_TAIL}"
    ).encode()
