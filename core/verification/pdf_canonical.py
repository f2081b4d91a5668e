"""The one form of the hub's own signed PDF: what the signature cannot cover is its own value, so that has one encoding."""

import re

from contracts.fault import Fault, Rule
from core.gm import der, oids
from core.gm.der import DerError
from core.verification.cms import DATA, SignedData, parse_signed_data
from core.verification.finding import Finding
from core.verification.limits import DEFAULT
from core.verification.pdf import CADES_DETACHED, read_pdf

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_NULL = b"\x05\x00"
_LOWER_CASE = re.compile(rb"[0-9a-f]*")


def _rule(code: str, en: str, zh: str) -> Rule:
    remedy = (
        "ask the issuer for the file again; it was changed after it was signed",
        "请向颁发机构重新获取文件；文件在签名后被改动",
    )
    return Rule(code=f"canonical.{code}", en=en, zh=zh, remedy_en=remedy[0], remedy_zh=remedy[1])


ONE_SIGNATURE = _rule(
    "one-signature",
    "there is not exactly one PAdES signature over the whole file",
    "不是恰好一个覆盖全文件的 PAdES 签名",
)
CONTENTS = _rule(
    "contents",
    "the signature value is not lower-case digits with zeros after it",
    "签名值不是小写十六进制加零填充",
)
SIGNED_DATA = _rule("signed-data", "the signature value is not in its one encoding", "签名值不是唯一编码形式")


def canonical_pdf_faults(data: bytes) -> list[Fault]:
    """Every way in which a signed PDF differs from the form the hub writes; empty for a canonical file."""
    try:
        signatures = read_pdf(data, DEFAULT)
    except Finding:
        signatures = ()
    if len(signatures) != 1 or signatures[0].end != len(data) or signatures[0].sub_filter != CADES_DETACHED:
        return [ONE_SIGNATURE.at("")]
    signature = signatures[0]
    faults = [] if _LOWER_CASE.fullmatch(signature.contents) else [CONTENTS.at("")]
    try:
        value = without_padding(signature.value)
        if parse_signed_data(value).encoding not in _encodings(parse_signed_data(value)):
            faults.append(SIGNED_DATA.at(""))
    except DerError:
        faults.append(SIGNED_DATA.at(""))
    return faults


def without_padding(value: bytes) -> bytes:
    """The DER element at the start of /Contents; raises ``DerError`` unless nothing but zeros follows it."""
    element = der.read_first(value).encoding
    if value[len(element) :].strip(b"\0"):
        raise DerError("bytes follow the signature value")
    return element


def _encodings(signed: SignedData) -> set[bytes]:
    """The encodings of this value as PAdES-B-B: algorithm identifiers with NULL or without, all else fixed."""
    signer = signed.signer
    certificates = der.tlv(0xA0, *(certificate.encoding for certificate in signed.certificates))
    attributes = b"\xa0" + signer.signed_attributes[1:]
    found = set()
    for digest_parameters in (b"", _NULL):
        for signature_parameters in (b"", _NULL):
            digest = der.sequence(der.oid(oids.SHA256), digest_parameters)
            info = der.sequence(
                der.integer(1),
                der.sequence(signer.issuer_and_serial),
                digest,
                attributes,
                der.sequence(der.oid(signer.signature_algorithm), signature_parameters),
                der.octets(signer.signature),
            )
            inner = der.sequence(
                der.integer(1),
                der.tlv(der.SET, digest),
                der.sequence(der.oid(DATA)),
                certificates,
                der.tlv(der.SET, info),
            )
            found.add(der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, inner)))
    return found
