"""All that one licence version is packaged into, its face composed once: OFD, PDF, thumbnail."""

from collections.abc import Sequence

import msgspec

from core.packaging.face import compose_face
from core.packaging.ofd_scans import draft_of_scans
from core.packaging.ofd_writer import Draft, draft_of_face, seal_drafts
from core.packaging.pades import CmsWriter
from core.packaging.pdf_scans import draft_of_scanned_pdf
from core.packaging.pdf_template import pdf_template
from core.packaging.pdf_writer import PdfDraft, draft_of_pdf_face, sign_drafts
from core.packaging.raster import scan_thumbnail, thumbnail
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import read_scans
from core.packaging.stored import StoredPackage, Template
from core.packaging.style import Style
from core.ports.signer import Signer
from core.sealing.seal import Seal


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one version."""

    ofd: StoredPackage
    pdf: StoredPackage | None
    """None without a PDF signer."""
    thumbnail: bytes
    """JPEG, 400 px on its long side."""
    templates: tuple[Template, ...]
    """Shared parts that ``ofd`` and ``pdf`` name: to be kept before them."""


class _Drafts(msgspec.Struct, frozen=True):
    ofd: Draft
    pdf: PdfDraft | None
    thumbnail: bytes


def package_bundles(
    requests: Sequence[PackageRequest], style: Style, seal: Seal, pdf_signer: Signer | None = None
) -> list[Bundle | Waiting]:
    """The files of each request, in order; one call to each signer for the whole batch.

    A request with ``scans`` is made of them, any other is composed from the style. Raises what the signers raise, then nothing
    was made.
    """
    cms = CmsWriter(pdf_signer) if pdf_signer else None
    drafts = [_drafted(request, style, seal, cms) for request in requests]
    ready = [draft for draft in drafts if isinstance(draft, _Drafts)]
    sealed = iter(_made(seal_drafts([draft.ofd for draft in ready], seal)))
    pdfs = [draft.pdf for draft in ready if draft.pdf]
    signed = iter(_made(sign_drafts(pdfs, cms)) if cms else [])
    return [
        _bundle(draft, next(sealed), next(signed) if draft.pdf else None)
        if isinstance(draft, _Drafts)
        else draft
        for draft in drafts
    ]


def _drafted(request: PackageRequest, style: Style, seal: Seal, cms: CmsWriter | None) -> _Drafts | Waiting:
    if request.scans:
        return _drafted_scans(request, style, seal, cms)
    face = compose_face(request, style)
    if isinstance(face, Waiting):
        return face
    ofd = draft_of_face(request, face, style, seal)
    if isinstance(ofd, Waiting):
        return ofd
    pdf = draft_of_pdf_face(request, face, pdf_template(style, seal.picture), cms.room_bytes) if cms else None
    return pdf if isinstance(pdf, Waiting) else _Drafts(ofd, pdf, thumbnail(face, style, seal.picture))


def _drafted_scans(
    request: PackageRequest, style: Style, seal: Seal, cms: CmsWriter | None
) -> _Drafts | Waiting:
    pages = read_scans(request)
    if isinstance(pages, Waiting):
        return pages
    ofd = draft_of_scans(request, pages, style, seal)
    if isinstance(ofd, Waiting):
        return ofd
    pdf = draft_of_scanned_pdf(request, pages, style, seal.picture, cms.room_bytes) if cms else None
    return pdf if isinstance(pdf, Waiting) else _Drafts(ofd, pdf, scan_thumbnail(pages[0].image))


def _made(results: list[StoredPackage | Waiting]) -> list[StoredPackage]:
    return [result for result in results if isinstance(result, StoredPackage)]


def _bundle(drafts: _Drafts, ofd: StoredPackage, pdf: StoredPackage | None) -> Bundle:
    templates = [drafts.ofd.template.template]
    if drafts.pdf:
        templates.append(drafts.pdf.template.template)
    return Bundle(ofd=ofd, pdf=pdf, thumbnail=drafts.thumbnail, templates=tuple(templates))
