"""What every PDF package is around its pages: catalogue, attached data, metadata, the end of the base revision."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from core.packaging import pdf_layout as at
from core.packaging.layout import Box
from core.packaging.metadata import CHINA_TIME, document_id
from core.packaging.pdf_objects import first_table, indirect, offsets, stream, text_string
from core.packaging.pdf_template import PdfTemplate
from core.packaging.request import PackageRequest
from core.packaging.xmp import xmp_packet

METADATA_NAME, LICENCE_NAME = "metadata.xml", "licence.json"


class SealedPage(msgspec.Struct, frozen=True):
    """The page that shows the seal."""

    number: int
    height_mm: float
    stamp: Box
    write: Callable[[str], str]
    """The page's dictionary with further entries."""


class Revision(msgspec.Struct, frozen=True):
    """What the signing section needs of the revision it follows."""

    data: bytes
    """From the end of the shared part to ``%%EOF``."""
    table_at: int
    """Where its cross-reference table begins in the file."""
    size: int
    """The first object number that is free."""
    page: SealedPage


def base_revision(
    request: PackageRequest, template: PdfTemplate, objects: Mapping[int, bytes], size: int, page: SealedPage
) -> Revision:
    """The first revision, complete in itself: ``objects`` after the shared part, numbers below ``size``."""
    body = b"".join(objects.values())
    start = len(template.template.members)
    table_at = start + len(body)
    table = first_table(template.places | offsets(objects, start), size)
    end = b"".join((table, trailer(request, f"/Size {size}"), b"%d\n%%%%EOF\n" % table_at))
    return Revision(body + end, table_at, size, page)


def trailer(request: PackageRequest, entries: str) -> bytes:
    """Trailer up to the number after ``startxref``."""
    mark = document_id(request)
    return f"trailer\n<<{entries}/Root {at.CATALOG} 0 R/ID[<{mark}><{mark}>]>>\nstartxref\n".encode()


def catalog(entries: str) -> str:
    """The catalogue with further entries."""
    return (
        f"<</Type/Catalog/Pages {at.PAGES} 0 R/Metadata {at.XMP} 0 R/OutputIntents[{at.OUTPUT_INTENT} 0 R]"
        f"/AF[{at.METADATA_SPEC} 0 R {at.LICENCE_SPEC} 0 R]/Names<</EmbeddedFiles<</Names"
        f"[({LICENCE_NAME}){at.LICENCE_SPEC} 0 R({METADATA_NAME}){at.METADATA_SPEC} 0 R]>>>>"
        f"/Lang(zh-CN)/ViewerPreferences<</DisplayDocTitle true>>{entries}>>"
    )


def xmp_object(request: PackageRequest) -> bytes:
    """The metadata stream of the document."""
    return stream(at.XMP, "/Type/Metadata/Subtype/XML", xmp_packet(request), packed=False)


def pdf_date(moment: datetime) -> str:
    """A date string: ``D:20261123183000+08'00'``."""
    return f"{moment.astimezone(CHINA_TIME):D:%Y%m%d%H%M%S}+08'00'"


def attached_files(request: PackageRequest, metadata: bytes, licence: bytes) -> dict[int, bytes]:
    """Metadata XML and licence JSON as associated files (ISO 19005-3, 6.8)."""
    moment = pdf_date(request.made_at)
    return {
        at.METADATA_FILE: _file(at.METADATA_FILE, "text#2Fxml", metadata, moment),
        at.METADATA_SPEC: _file_spec(
            at.METADATA_SPEC, METADATA_NAME, at.METADATA_FILE, "metadata, GB/T 36903"
        ),
        at.LICENCE_FILE: _file(at.LICENCE_FILE, "application#2Fjson", licence, moment),
        at.LICENCE_SPEC: _file_spec(at.LICENCE_SPEC, LICENCE_NAME, at.LICENCE_FILE, "licence record"),
    }


def _file(number: int, kind: str, data: bytes, moment: str) -> bytes:
    parameters = f"/Params<</Size {len(data)}/ModDate({moment})>>"
    return stream(number, f"/Type/EmbeddedFile/Subtype/{kind}{parameters}", data)


def _file_spec(number: int, name: str, file: int, description: str) -> bytes:
    return indirect(
        number,
        f"<</Type/Filespec/F({name})/UF{text_string(name)}/AFRelationship/Data/Desc{text_string(description)}"
        f"/EF<</F {file} 0 R/UF {file} 0 R>>>>",
    )
