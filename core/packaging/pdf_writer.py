"""Writes signed PDF packages (ISO 32000-1; PDF/A-3u aimed for; PAdES-B-B), a batch per signing call, stored thin."""

from collections.abc import Callable, Sequence

import msgspec

from core.packaging import pdf_layout as at
from core.packaging.face import Face, compose_face
from core.packaging.metadata import data_fault, metadata_values, metadata_xml
from core.packaging.pades import CmsWriter
from core.packaging.pdf_base import face_revision
from core.packaging.pdf_document import Revision, SealedPage, catalog, pdf_date, trailer
from core.packaging.pdf_objects import indirect, later_table, offsets, points, text_string
from core.packaging.pdf_template import PdfTemplate, pdf_template
from core.packaging.request import PackageRequest, Waiting
from core.packaging.stored import StoredPackage, Template
from core.packaging.style import Style
from core.packaging.values import values_of
from core.ports.signer import Signer

OWN_MARK = "/Prop_Build<</App<</Name/LicenceHub>>>>"
"""Says that the file is the hub's own, so that only its canonical form is accepted (docs/verification.md)."""
_BYTE_RANGE_WIDTH = 45


class PdfDraft(msgspec.Struct, frozen=True):
    """A PDF before its signature: everything outside the signature value is final."""

    request: PackageRequest
    template: PdfTemplate
    before: bytes
    """From the end of the shared part to the signature value."""
    after: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that the signature covers."""
        return self.template.digest(self.before, self.after)


def package_pdf(
    requests: Sequence[PackageRequest], style: Style, signer: Signer, seal_picture: bytes
) -> list[StoredPackage | Waiting]:
    """Signed PDFs of composed licences, in the order of ``requests``; one call to the signer for the whole batch.

    ``made_at`` of a request is its signing time. Raises what ``Signer.sign`` raises, then nothing was made.
    """
    cms = CmsWriter(signer)
    return sign_drafts([draft_pdf(request, style, seal_picture, cms.room_bytes) for request in requests], cms)


def sign_drafts(drafts: Sequence[PdfDraft | Waiting], cms: CmsWriter) -> list[StoredPackage | Waiting]:
    """The drafts signed in one batch; those that wait pass through."""
    ready = [draft for draft in drafts if isinstance(draft, PdfDraft)]
    values = iter(cms.write([draft.digest for draft in ready]) if ready else [])
    return [_stored(draft, next(values), cms) if isinstance(draft, PdfDraft) else draft for draft in drafts]


def pdf_static_part(style: Style, seal_picture: bytes) -> Template:
    """The template that packages of this style and seal picture name: to be kept before the first of them."""
    return pdf_template(style, seal_picture).template


def draft_pdf(
    request: PackageRequest, style: Style, seal_picture: bytes, room_bytes: int
) -> PdfDraft | Waiting:
    """A licence ready to be signed with a value of at most ``room_bytes``, or why it has to wait."""
    face = compose_face(request, style)
    if isinstance(face, Waiting):
        return face
    return draft_of_pdf_face(request, face, pdf_template(style, seal_picture), room_bytes)


def draft_of_pdf_face(
    request: PackageRequest, face: Face, template: PdfTemplate, room_bytes: int
) -> PdfDraft | Waiting:
    """The draft of a composed face."""

    def revision(metadata: bytes) -> Revision:
        return face_revision(request, template, face, metadata)

    return draft_of_revision(request, template, revision, room_bytes)


def draft_of_revision(
    request: PackageRequest, template: PdfTemplate, write: Callable[[bytes], Revision], room_bytes: int
) -> PdfDraft | Waiting:
    """The draft of a document whose base revision ``write`` makes around the metadata XML."""
    metadata = metadata_xml(metadata_values(values_of(request)))
    held = data_fault(request, metadata)
    if held is not None:
        return held
    before, after = _signing_section(request, template, write(metadata), room_bytes)
    return PdfDraft(request, template, before, after)


def _signing_section(
    request: PackageRequest, template: PdfTemplate, revision: Revision, room_bytes: int
) -> tuple[bytes, bytes]:
    """The incremental section that holds the signature, split where its value goes."""
    start = len(template.template.members) + len(revision.data)
    page, field = revision.page, revision.size
    signature = field + 1
    form = f"/AcroForm<</Fields[{field} 0 R]/SigFlags 3>>"
    changed = {
        at.CATALOG: indirect(at.CATALOG, catalog(form)),
        page.number: indirect(page.number, page.write(f"/Annots[{field} 0 R]")),
        field: indirect(field, _field(page, signature)),
    }
    objects = b"".join(changed.values())
    places = offsets(changed, start)
    places[signature] = start + len(objects)
    head = f"{signature} 0 obj\n{_signature_head(request)}".encode("latin-1")
    gap = places[signature] + len(head)
    resumed = gap + 2 * room_bytes + 2
    tail = _after_value(places, revision, resumed, request)
    whole = resumed + _BYTE_RANGE_WIDTH + len(tail)
    byte_range = f"/ByteRange[0 {gap} {resumed} {whole - resumed}]".ljust(_BYTE_RANGE_WIDTH).encode()
    return revision.data + objects + head, byte_range + tail


def _signature_head(request: PackageRequest) -> str:
    return (
        f"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached{OWN_MARK}"
        f"/M({pdf_date(request.made_at)})/Name{text_string(request.record.issuer_name)}/Contents"
    )


def _after_value(places: dict[int, int], revision: Revision, resumed: int, request: PackageRequest) -> bytes:
    closing = b">>\nendobj\n"
    table_at = resumed + _BYTE_RANGE_WIDTH + len(closing)
    end = trailer(request, f"/Size {max(places) + 1}/Prev {revision.table_at}")
    return b"".join((closing, later_table(places), end, b"%d\n%%%%EOF\n" % table_at))


def _field(page: SealedPage, signature: int) -> str:
    place = page.stamp
    bottom = page.height_mm - place.y - place.height
    corners = (place.x, bottom, place.x + place.width, bottom + place.height)
    rectangle = " ".join(map(points, corners))
    return (
        f"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/F 132/P {page.number} 0 R/Rect[{rectangle}]"
        f"/V {signature} 0 R/AP<</N {at.SEAL_APPEARANCE} 0 R>>>>"
    )


def _stored(draft: PdfDraft, value: bytes, cms: CmsWriter) -> StoredPackage:
    contents = value.hex().ljust(cms.room_bytes * 2, "0").encode()
    own = b"".join((draft.before, b"<", contents, b">", draft.after))
    shared = draft.template.template
    return StoredPackage(
        template_id=shared.template_id,
        members=own,
        digest=draft.template.digest(own),
        size_bytes=len(shared.members) + len(own),
    )
