"""Small signed PDF files: by pyHanko as a foreign producer, and by hand in the hub's canonical form."""

import hashlib
import io
import re
from datetime import UTC, datetime
from functools import cache

from asn1crypto import keys, x509
from cryptography import x509 as crypto_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from core.gm import der, oids
from core.gm.libcrypto import Sm2Key
from core.ports.signer import Algorithm
from core.sealing.signers import SoftwareSigner
from core.sealing.suites import suite_of
from signing_material import NOON

CONTENTS_BYTES = 2048
OWN_MARK = b"/Prop_Build<</App<</Name/LicenceHub>>>>"
METADATA = (
    '<ofd:CustomDatas xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CustomData Name="ZZBS">1.2.156.3005.2.X</ofd:CustomData>'
    '<ofd:CustomData Name="ZZMC">营业执照</ofd:CustomData></ofd:CustomDatas>'
).encode()


@cache
def unsigned_pdf() -> bytes:
    """One empty page and an embedded metadata file."""
    embedded = b"<</Type/EmbeddedFile/Subtype/text#2Fxml/Length %d>>stream\n%s\nendstream" % (
        len(METADATA),
        METADATA,
    )
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        embedded,
    ]
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 5\n0000000000 65535 f \n" + entries
    return bytes(out + b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)


def foreign_pdf(
    signer: SoftwareSigner,
    data: bytes | None = None,
    *,
    field: str = "S1",
    pades: bool = True,
    pss: bool = False,
    certify: MDPPerm | None = None,
) -> bytes:
    """``data`` signed by pyHanko in an incremental update; ``certify`` says what may be changed later."""
    if isinstance(signer._key, Sm2Key):
        raise TypeError("pyHanko knows no SM2")
    form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    theirs = SimpleSigner(
        signing_cert=x509.Certificate.load(signer.certificate),
        signing_key=keys.PrivateKeyInfo.load(signer._key.private_bytes(*form)),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # pyHanko leaves its constructor untyped
        prefer_pss=pss,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data or unsigned_pdf()))
    append_signature_field(writer, SigFieldSpec(field))
    digest = (
        "sha512" if signer.algorithm is Algorithm.ED25519 else "sha256"
    )  # RFC 8419 ties Ed25519 to SHA-512
    kind = SigSeedSubFilter.PADES if pades else SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    metadata = PdfSignatureMetadata(
        field,
        subfilter=kind,
        md_algorithm=digest,
        certify=certify is not None,
        docmdp_permissions=certify or MDPPerm.FILL_FORMS,
    )
    signed: bytes = PdfSigner(metadata, theirs).sign_pdf(writer).getvalue()
    return signed


def own_pdf(signer: SoftwareSigner, *extra_certificates: bytes, unsigned_attribute: bytes = b"") -> bytes:
    """The hub's canonical form: base revision, one incremental section, CMS in one encoding."""
    base = unsigned_pdf()
    head = (
        b"5 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20260601120000Z)"
        + OWN_MARK
        + b"/Contents "
    )
    gap = 2 + 2 * CONTENTS_BYTES
    start = len(base) + len(head)
    tail = b">>\nendobj\nxref\n5 1\n%010d 00000 n \ntrailer\n<</Size 6/Root 1 0 R/Prev 0>>\nstartxref\n%d\n%%%%EOF\n"
    byte_range = b"/ByteRange[0 %010d %010d %010d]"
    size = len(byte_range % (0, 0, 0)) + len(tail % (len(base), 0)) - 1 + len(str(start + gap))
    after = byte_range % (start, start + gap, size) + tail % (len(base), start + gap)
    after = byte_range % (start, start + gap, len(after)) + tail % (len(base), start + gap)
    digest = hashlib.sha256(base + head + after).digest()
    value = cms(signer, digest, *extra_certificates, unsigned_attribute=unsigned_attribute)
    contents = value.hex().encode().ljust(2 * CONTENTS_BYTES, b"0")
    return base + head + b"<" + contents + b">" + after


def cms(
    signer: SoftwareSigner, digest: bytes, *extra_certificates: bytes, unsigned_attribute: bytes = b""
) -> bytes:
    """PAdES-B-B SignedData over ``digest``."""
    parsed, suite = x509.Certificate.load(signer.certificate), suite_of(signer.algorithm)
    algorithm = der.sequence(der.oid(oids.SHA256))
    certificate_digest = der.octets(hashlib.sha256(signer.certificate).digest())
    attributes = sorted(
        [
            attribute("1.2.840.113549.1.9.3", der.oid("1.2.840.113549.1.7.1")),
            attribute("1.2.840.113549.1.9.4", der.octets(digest)),
            attribute(
                "1.2.840.113549.1.9.16.2.47", der.sequence(der.sequence(der.sequence(certificate_digest)))
            ),
        ]
    )
    info = der.sequence(
        der.integer(1),
        der.sequence(parsed.issuer.dump(), parsed["tbs_certificate"]["serial_number"].dump()),
        algorithm,
        der.tlv(0xA0, *attributes),
        der.sequence(der.oid(suite.signature_oid), suite.parameters),
        der.octets(signer.sign([der.tlv(der.SET, *attributes)])[0]),
        der.tlv(0xA1, unsigned_attribute) if unsigned_attribute else b"",
    )
    inner = der.sequence(
        der.integer(1),
        der.tlv(der.SET, algorithm),
        der.sequence(der.oid("1.2.840.113549.1.7.1")),
        der.tlv(0xA0, signer.certificate, *extra_certificates),
        der.tlv(der.SET, info),
    )
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.explicit(0, inner))


def attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


@cache
def stamp_authority() -> tuple[bytes, bytes]:
    """Certificate and PKCS#8 key of an authority that stamps times, self-signed."""
    key = rsa.generate_private_key(65537, 2048)
    name = crypto_x509.Name([crypto_x509.NameAttribute(NameOID.COMMON_NAME, "Test Time")])
    certificate = (
        crypto_x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(crypto_x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.DER), encoded


def stamped_pdf(signer: SoftwareSigner, data: bytes | None = None) -> bytes:
    """A signed file with a validation store and a document timestamp after the signature, by pyHanko."""
    certificate, key = stamp_authority()
    stamper = DummyTimeStamper(
        tsa_cert=x509.Certificate.load(certificate),
        tsa_key=keys.PrivateKeyInfo.load(key),
        certs_to_embed=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # pyHanko leaves its constructor untyped
        fixed_dt=NOON,
    )
    out = io.BytesIO(with_store(data or foreign_pdf(signer), signer.certificate))
    stamped: bytes = PdfTimeStamper(stamper).timestamp_pdf(IncrementalPdfFileWriter(out), "sha256").getvalue()
    return stamped


def with_store(data: bytes, *certificates: bytes) -> bytes:
    """``data`` with a validation store (DSS) of these certificates in a further revision."""
    out = io.BytesIO(data)
    DocumentSecurityStore.add_dss(out, None, certs=[x509.Certificate.load(one) for one in certificates])
    return out.getvalue()


def updated(data: bytes, objects: dict[int, bytes]) -> bytes:
    """``data`` with these objects in a further revision, listed by a table of cross-references."""
    out, entries = bytearray(data), {}
    for number, content in objects.items():
        entries[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    place = len(out)
    previous = re.findall(rb"startxref\s+(\d+)", data)[-1]
    size = max(1000, *objects)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in sorted(entries.items()))
    trailer = b"trailer\n<</Size %d/Root 1 0 R/Prev %s>>\n" % (size, previous)
    return bytes(out + b"xref\n" + table + trailer + b"startxref\n%d\n%%%%EOF\n" % place)
