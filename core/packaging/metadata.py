"""The data that travel in a package: document information, metadata XML (GB/T 36903 codes), licence JSON."""

import hashlib
from datetime import datetime, timedelta, timezone

import msgspec
import orjson

from contracts.fault import Rule
from core.packaging.markup import PROLOGUE, XMLNS, custom_data, escape, not_xml
from core.packaging.request import PackageRequest, Waiting
from core.packaging.values import FACE_CODES, Value, metadata_text

CHINA_TIME = timezone(timedelta(hours=8))
CREATOR = "Licence Hub"
CREATOR_VERSION = "1.0"
LICENCE_FORMAT = "licence-hub/1"
_NOT_XML = Rule(
    code="package.not-xml",
    en="The data hold control characters that no document may hold: {characters}.",
    zh="数据含有文档不允许的控制字符：{characters}。",
    remedy_en="Send the record again without them.",
    remedy_zh="请去除这些字符后重新报送。",
)


def document_id(request: PackageRequest) -> str:
    """DocID of a version: 32 hex digits, the same for the same version and moment."""
    seed = (
        request.licence_id.bytes
        + request.version_no.to_bytes(4, "big")
        + request.made_at.isoformat().encode()
    )
    return hashlib.sha256(seed).hexdigest()[:32]


def local_time(moment: datetime) -> str:
    """China standard time as ``yyyy-MM-dd HH:mm:ss``, the form readers of OFD show."""
    return f"{moment.astimezone(CHINA_TIME):%Y-%m-%d %H:%M:%S}"


def metadata_values(values: dict[str, Value]) -> list[tuple[str, str]]:
    """Every value that is there, as metadata text, by code."""
    texts = ((code, metadata_text(value)) for code, value in values.items())
    return [(code, text) for code, text in texts if text]


def metadata_xml(metadata: list[tuple[str, str]]) -> bytes:
    """The metadata file: CustomData elements under the names of GB/T 36903 (FIELD 1.2)."""
    return f"{PROLOGUE}<ofd:CustomDatas {XMLNS}>{custom_data(metadata)}</ofd:CustomDatas>".encode()


def data_fault(request: PackageRequest, metadata: bytes) -> Waiting | None:
    """Why a licence with this metadata XML cannot be packaged: its data hold characters that XML refuses."""
    illegal = not_xml(metadata.decode())
    if not illegal:
        return None
    fault = _NOT_XML.at("", characters=" ".join(f"U+{ord(char):04X}" for char in illegal))
    return Waiting(
        licence_id=request.licence_id, version_no=request.version_no, state="failed", faults=(fault,)
    )


def document_information(request: PackageRequest, metadata: list[tuple[str, str]]) -> str:
    """DocInfo: who, when, and the metadata elements (not the extended items) as custom data."""
    record = request.record
    elements = [(code, text) for code, text in metadata if code in FACE_CODES]
    made_on = f"{request.made_at.astimezone(CHINA_TIME):%Y-%m-%d}"
    return (
        f"<ofd:DocInfo><ofd:DocID>{document_id(request)}</ofd:DocID><ofd:Title>{escape(record.licence_name)}</ofd:Title>"
        f"<ofd:Author>{escape(record.issuer_name)}</ofd:Author><ofd:Subject>{escape(request.identifier)}</ofd:Subject>"
        f"<ofd:CreationDate>{made_on}</ofd:CreationDate><ofd:ModDate>{made_on}</ofd:ModDate>"
        f"<ofd:Creator>{CREATOR}</ofd:Creator><ofd:CreatorVersion>{CREATOR_VERSION}</ofd:CreatorVersion>"
        f"<ofd:CustomDatas>{custom_data(elements)}</ofd:CustomDatas></ofd:DocInfo>"
    )


def licence_json(request: PackageRequest, face: dict[str, str], style_ident: str) -> bytes:
    """The licence as JSON with sorted keys: the record, what the package adds, and the text of each face item.

    How the record came in (its files, who verified them) stays in the library.
    """
    record = msgspec.structs.replace(request.record, scans=(), original=None, verified_by="")
    return orjson.dumps(
        {
            "format": LICENCE_FORMAT,
            "identifier": request.identifier,
            "file_number": request.file_number,
            "version": request.version_no,
            "licence_id": str(request.licence_id),
            "library": request.library_name,
            "source": request.source,
            "made_at": request.made_at.astimezone(CHINA_TIME).isoformat(timespec="seconds"),
            "style": style_ident,
            "face": face,
            "record": msgspec.to_builtins(record),
        },
        option=orjson.OPT_SORT_KEYS,
    )
