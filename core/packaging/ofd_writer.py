"""Writes sealed OFD packages (GB/T 33190, seal GB/T 38540), a batch per signing call, stored thin."""

from base64 import b64encode
from collections.abc import Iterable, Sequence

import msgspec

from core.packaging import ofd_layout as at
from core.packaging.container import STORED, member
from core.packaging.face import Face, compose_face
from core.packaging.layout import Box
from core.packaging.markup import PROLOGUE, XMLNS, boundary
from core.packaging.metadata import CREATOR, CREATOR_VERSION, data_fault, local_time
from core.packaging.ofd_members import face_members, final_bytes
from core.packaging.ofd_template import SigningTemplate, reference, signing_template
from core.packaging.request import PackageRequest, Waiting
from core.packaging.stored import StoredPackage, Template
from core.packaging.style import Style
from core.sealing.seal import Seal, SealOrder, signed_values

CONTAINER_PARAMETER = "container"
_SIGNATURE_PATH = f"/{at.SIGNATURE}"


class Draft(msgspec.Struct, frozen=True):
    """A package before its seal: everything up to Signature.xml is final."""

    request: PackageRequest
    template: SigningTemplate
    members: bytes
    signature: bytes
    """Signature.xml."""


def package_ofd(
    requests: Sequence[PackageRequest], style: Style, seal: Seal
) -> list[StoredPackage | Waiting]:
    """Sealed packages of licences whose face the hub composes, in the order of ``requests``.

    One call to the signer for the whole batch; the same requests and signatures give the same bytes. ``made_at`` of a request is
    its sealing time. Raises what ``signed_values`` raises, then nothing was made.
    """
    drafts = [draft_ofd(request, style, seal) for request in requests]
    return seal_drafts(drafts, seal)


def draft_ofd(request: PackageRequest, style: Style, seal: Seal) -> Draft | Waiting:
    """A licence ready to be sealed with its face composed, or why it has to wait."""
    face = compose_face(request, style)
    return face if isinstance(face, Waiting) else draft_of_face(request, face, style, seal)


def draft_of_face(request: PackageRequest, face: Face, style: Style, seal: Seal) -> Draft | Waiting:
    """The draft of a composed face."""
    stamps = [(at.PAGE_ID, style.seal.box)]
    members = face_members(request, style, face)
    return draft_of_members(request, members, stamps, signing_template(style, seal), seal)


def draft_of_members(
    request: PackageRequest,
    members: dict[str, bytes],
    stamps: Iterable[tuple[int, Box]],
    template: SigningTemplate,
    seal: Seal,
) -> Draft | Waiting:
    """The draft of a document whose own members are ``members`` and that shows its seal at ``stamps``."""
    held = data_fault(request, members[at.METADATA])
    if held is not None:
        return held
    tail = final_bytes(members)
    references = template.references + "".join(
        reference(name, seal.suite.digest(data)) for name, data in members.items()
    )
    container = b64encode(template.container_digest(tail)).decode()
    signature = _signature_xml(request, references, container, stamps, seal)
    return Draft(request, template, tail, signature)


def seal_drafts(drafts: Sequence[Draft | Waiting], seal: Seal) -> list[StoredPackage | Waiting]:
    """The drafts sealed in one batch; those that wait pass through."""
    orders = [
        SealOrder(seal.suite.digest(draft.signature), _SIGNATURE_PATH, draft.request.made_at)
        for draft in drafts
        if isinstance(draft, Draft)
    ]
    values = iter(signed_values(seal, orders) if orders else [])
    return [_stored(draft, next(values)) if isinstance(draft, Draft) else draft for draft in drafts]


def ofd_template(style: Style, seal: Seal) -> Template:
    """The template that packages of this style and seal name: to be kept before the first of them."""
    return signing_template(style, seal).template


def _stored(draft: Draft, signed_value: bytes) -> StoredPackage:
    own = b"".join(
        (
            draft.members,
            member(at.SIGNATURE, draft.signature, method=STORED),
            member(at.SIGNED_VALUE, signed_value, method=STORED),
        )
    )
    template = draft.template
    directory = template.directory(own)
    return StoredPackage(
        template_id=template.template.template_id,
        members=own,
        digest=template.file_digest(own + directory),
        size_bytes=len(template.template.members) + len(own) + len(directory),
    )


def _signature_xml(
    request: PackageRequest, references: str, container: str, stamps: Iterable[tuple[int, Box]], seal: Seal
) -> bytes:
    suite = seal.suite
    marks = "".join(
        f'<ofd:StampAnnot ID="{at.STAMP_PREFIX}{index}" PageRef="{page}" Boundary="{boundary(box)}"/>'
        for index, (page, box) in enumerate(stamps)
    )
    return (
        f"{PROLOGUE}<ofd:Signature {XMLNS}><ofd:SignedInfo>"
        f'<ofd:Provider ProviderName="{CREATOR}" Company="{CREATOR}" Version="{CREATOR_VERSION}"/>'
        f"<ofd:SignatureMethod>{suite.signature_oid}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>{local_time(request.made_at)}</ofd:SignatureDateTime>"
        f'<ofd:Parameters><ofd:Parameter Name="{CONTAINER_PARAMETER}">{container}</ofd:Parameter></ofd:Parameters>'
        f'<ofd:References CheckMethod="{suite.digest_oid if suite.digest_name == "SM3" else suite.digest_name}">'
        f"{references}</ofd:References>{marks}"
        f"<ofd:Seal><ofd:BaseLoc>/{at.SEAL}</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo>"
        f"<ofd:SignedValue>/{at.SIGNED_VALUE}</ofd:SignedValue></ofd:Signature>"
    ).encode()
