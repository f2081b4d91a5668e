"""Small OFD files for verification tests: built here by hand, so that every part can be bent before it is signed or after."""

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.gm import der
from core.packaging.container import STORED, central_directory, member
from core.ports.signer import Signer
from core.sealing.ses import SesSeal
from core.sealing.suites import Suite, suite_of
from signing_material import NOON, Material, material

XMLNS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
SIGNATURES = "Doc_0/Signs/Signatures.xml"
Members = dict[str, bytes]
Edit = Callable[[bytes], bytes]


def folder(number: int = 0) -> str:
    return f"Doc_0/Signs/Sign_{number}/"


SIGNATURE, SIGNED_VALUE, SEAL = (folder() + name for name in ("Signature.xml", "SignedValue.dat", "Seal.esl"))
PAGE = "Doc_0/Pages/Page_0/Content.xml"
IDENTIFIER = "1.2.156.3005.2.11100000MB03271699001.11420503087246977F.TEST2024000001.001.V"


def document(text: str = "海州县行政审批局", *, signatures: int = 1) -> Members:
    """The parts of a one-page document whose list announces so many signatures."""
    listed = "".join(
        f'<ofd:Signature ID="{n + 1}" Type="Seal" BaseLoc="/{folder(n)}Signature.xml"/>'
        for n in range(signatures)
    )
    metadata = (
        f'<ofd:CustomDatas><ofd:CustomData Name="ZZBS">{IDENTIFIER}</ofd:CustomData>'
        f'<ofd:CustomData Name="ZZBFJG">{text}</ofd:CustomData></ofd:CustomDatas>'
    )
    parts = {
        "OFD.xml": f'<ofd:OFD {XMLNS} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo>{metadata}</ofd:DocInfo>'
        f"<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>{SIGNATURES}</ofd:Signatures></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {XMLNS}><ofd:CommonData><ofd:MaxUnitID>9</ofd:MaxUnitID></ofd:CommonData>"
        f'<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages>'
        f"<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags></ofd:Document>",
        "Doc_0/Tags/CustomTags.xml": f"<ofd:CustomTags {XMLNS}>"
        '<ofd:CustomTag TypeID="1" NameSpace="urn:licence-hub:face-items:1">'
        "<ofd:FileLoc>FaceItems.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>",
        "Doc_0/Tags/FaceItems.xml": '<FaceItems xmlns="urn:licence-hub:face-items:1">'
        '<Item Code="ZZBFJG"><ObjectRef PageRef="1">7</ObjectRef></Item></FaceItems>',
        PAGE: f'<ofd:Page {XMLNS}><ofd:Content><ofd:Layer><ofd:TextObject ID="7"><ofd:TextCode>{text}</ofd:TextCode>'
        "</ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>",
        SIGNATURES: f"<ofd:Signatures {XMLNS}><ofd:MaxSignId>9</ofd:MaxSignId>{listed}</ofd:Signatures>",
    }
    return {name: content.encode() for name, content in parts.items()}


@dataclass(kw_only=True)
class Bend:
    """What to do differently from a proper signature."""

    check_method: str | None = None
    """CheckMethod text; the digests follow the suite all the same."""
    method: str | None = None
    left_out: Sequence[str] = ()
    """Members that get no reference."""
    seal_file: bytes | None = None
    """Another Seal.esl than the one that signs."""
    signature_xml: Edit = field(default=lambda xml: xml)
    data_hash: Edit = field(default=lambda value: value)
    property_info: str | None = None
    ses_algorithm: str | None = None
    certificate: bytes | None = None
    """In the signature value, instead of the signer's."""
    kind: str = "Seal"


def sealed_members(
    members: Members,
    signer: Signer,
    ses: SesSeal,
    *,
    number: int = 0,
    sealed_at: datetime = NOON,
    bend: Bend | None = None,
    container: bytes | None = None,
) -> Members:
    """``members`` with the files of a seal: everything but the signature's own two files is referenced."""
    bend, suite, at = bend or Bend(), suite_of(signer.algorithm), folder(number)
    whole = {**members, at + "Seal.esl": bend.seal_file or ses.encoding}
    xml = bend.signature_xml(_signature_xml(whole, suite, at, bend, container))
    to_sign = der.sequence(
        der.integer(4),
        ses.encoding,
        der.generalized_time(sealed_at),
        der.bits(bend.data_hash(suite.digest(xml))),
        der.ia5(bend.property_info or f"/{at}Signature.xml"),
    )
    value = der.sequence(
        to_sign,
        der.octets(bend.certificate or signer.certificate),
        der.oid(bend.ses_algorithm or suite.signature_oid),
        der.bits(signer.sign([to_sign])[0]),
    )
    return {**whole, at + "Signature.xml": xml, at + "SignedValue.dat": value}


def _signature_xml(members: Members, suite: Suite, at: str, bend: Bend, container: bytes | None) -> bytes:
    parameter = (
        f'<ofd:Parameters><ofd:Parameter Name="container">{base64.b64encode(container).decode()}</ofd:Parameter></ofd:Parameters>'
        if container
        else ""
    )
    references = "".join(
        f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>{base64.b64encode(suite.digest(data)).decode()}</ofd:CheckValue>'
        "</ofd:Reference>"
        for name, data in members.items()
        if name not in bend.left_out
    )
    method = suite.digest_name if bend.check_method is None else bend.check_method
    checked = f' CheckMethod="{method}"' if method else ""
    seal = (
        f"<ofd:Seal><ofd:BaseLoc>/{at}Seal.esl</ofd:BaseLoc></ofd:Seal>" if at + "Seal.esl" in members else ""
    )
    return (
        f'<ofd:Signature {XMLNS}><ofd:SignedInfo><ofd:Provider ProviderName="test"/>'
        f"<ofd:SignatureMethod>{bend.method or suite.signature_oid}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>2026-06-01 20:00:00</ofd:SignatureDateTime>{parameter}"
        f"<ofd:References{checked}>{references}</ofd:References>{seal}</ofd:SignedInfo>"
        f"<ofd:SignedValue>/{at}SignedValue.dat</ofd:SignedValue></ofd:Signature>"
    ).encode()


def sealed(
    made: Material | None = None,
    *,
    bend: Bend | None = None,
    sealed_at: datetime = NOON,
    text: str = "海州县行政审批局",
) -> Members:
    """A sealed document as other producers make it."""
    made = made or material()
    return sealed_members(document(text), made.signer, made.ses, bend=bend, sealed_at=sealed_at)


def plainly_signed(
    signer: Signer, value_of: Callable[[bytes], bytes], *, beside: Members | None = None
) -> Members:
    """A document with a signature without seal; ``value_of`` makes SignedValue.dat from Signature.xml."""
    members = document()
    members[SIGNATURES] = members[SIGNATURES].replace(b'Type="Seal"', b'Type="Sign"')
    xml = _signature_xml(members, suite_of(signer.algorithm), folder(), Bend(), None)
    return {**members, **(beside or {}), SIGNATURE: xml, SIGNED_VALUE: value_of(xml)}


def zipped(members: Members, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP as Python's library writes it: not the hub's form."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def own_package(
    made: Material | None = None, *, sealed_at: datetime = NOON, text: str = "海州县行政审批局"
) -> bytes:
    """A sealed document in the hub's canonical form."""
    made = made or material()
    before = {**document(text), SEAL: made.ses.encoding}
    head = b"".join(member(name, data) for name, data in before.items())
    suite = suite_of(made.signer.algorithm)
    whole = sealed_members(
        document(text), made.signer, made.ses, sealed_at=sealed_at, container=suite.digest(head)
    )
    return canonically_zipped({name: whole[name] for name in (*before, SIGNATURE, SIGNED_VALUE)})


def canonically_zipped(members: Members) -> bytes:
    """Members in the hub's ZIP form; signature files stored, the others deflated."""
    stored = (SIGNATURE, SIGNED_VALUE)
    run = b"".join(
        member(name, data, method=STORED) if name in stored else member(name, data)
        for name, data in members.items()
    )
    return run + central_directory(run)


def unzipped(data: bytes) -> Members:
    """Members of a ZIP by name, in their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
