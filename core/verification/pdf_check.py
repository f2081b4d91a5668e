"""The security steps for a signed PDF: byte ranges, digest, signature, chain, validity. A PDF has no seal structure to judge."""

from dataclasses import dataclass, field
from datetime import datetime

from core.gm.der import DerError
from core.verification.ber import in_der
from core.verification.certificates import ALGORITHM_NAMES, Certificate, verify_signature
from core.verification.cms import (
    TIMESTAMP_ATTRIBUTE,
    SignedData,
    check_attributes,
    parse_signed_data,
    signer_certificate,
)
from core.verification.digests import new_digest
from core.verification.finding import Broken, Undecided
from core.verification.limits import Limits
from core.verification.pdf import CADES_DETACHED, PKCS7_DETACHED, PdfSignature, read_pdf
from core.verification.pdf_canonical import canonical_pdf_faults, without_padding
from core.verification.proceedings import NotApplicable, Proceedings, passed
from core.verification.report import Reason, SignatureFacts, Step, UncoveredBytes
from core.verification.trust import TrustStore, check_claimed_time, check_valid_at


@dataclass
class PdfCase:
    """A PDF under examination; each step adds what later ones need."""

    data: bytes
    trust: TrustStore
    now: datetime
    limits: Limits
    signatures: tuple[PdfSignature, ...] = ()
    values: dict[str, SignedData] = field(default_factory=dict)
    signers: dict[str, Certificate] = field(default_factory=dict)
    chains: dict[str, tuple[Certificate, ...]] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """The signed part says that a hub wrote the file."""
        return any(signature.own for signature in self.signatures)


def examine(case: PdfCase, proceedings: Proceedings) -> None:
    """Takes the case through the security steps."""
    proceedings.take(Step.CONTAINER, lambda: _container(case))
    proceedings.take(Step.COVERAGE, lambda: _coverage(case))
    proceedings.take(Step.DIGESTS, lambda: _digests(case))
    proceedings.take(Step.SEAL_EQUAL, _no_seal)
    proceedings.take(Step.SIGNATURE, lambda: _signature(case))
    proceedings.take(Step.SEAL_MAKER, _no_seal)
    proceedings.take(Step.CHAIN, lambda: _chain(case))
    proceedings.take(Step.VALIDITY, lambda: _validity(case))


def facts_of(case: PdfCase) -> tuple[SignatureFacts, ...]:
    """What the signatures say of themselves, as far as they could be read."""
    return tuple(_facts(case, signature) for signature in case.signatures)


def uncovered(case: PdfCase) -> tuple[UncoveredBytes, ...]:
    """Bytes after the last signed range."""
    end = case.signatures[-1].end if case.signatures else 0
    rest = len(case.data) - end
    return (UncoveredBytes(end, rest, "after the signed range"),) if case.signatures and rest else ()


def _container(case: PdfCase) -> Reason:
    case.signatures = read_pdf(case.data, case.limits)
    if not case.own:
        return passed("the file has the outline of a PDF", "文件具有 PDF 的基本结构")
    if faults := canonical_pdf_faults(case.data):
        raise Broken(faults[0].rule, faults[0].message, faults[0].message_zh)
    return passed("the file is in the hub's one form", "文件为枢纽的唯一规范形式")


def _coverage(case: PdfCase) -> Reason:
    if not case.signatures:
        raise _unsigned()
    if rest := uncovered(case):
        raise Broken(
            "content-after-signature",
            f"{rest[0].length} bytes were added after the last signature",
            f"最后一个签名之后追加了 {rest[0].length} 字节",
        )
    return passed("the last signature covers the whole file", "最后一个签名覆盖整个文件")


def _digests(case: PdfCase) -> Reason:
    for signature in case.signatures:
        if signature.sub_filter not in (CADES_DETACHED, PKCS7_DETACHED):
            raise Undecided(
                "sub-filter",
                f"signatures of form {signature.sub_filter} are not judged",
                f"不支持 {signature.sub_filter} 形式的签名",
            )
        try:
            _digest(case, signature, parse_signed_data(_value(case, signature)))
        except DerError as error:
            raise Broken(
                "signed-value", f"the signature value is malformed: {error}", "签名值格式错误"
            ) from error
    if not case.signatures:
        raise NotApplicable("no-signature", "there is no signature", "没有签名")
    return passed("the covered bytes are as they were signed", "被覆盖的字节与签名时一致")


def _digest(case: PdfCase, signature: PdfSignature, signed: SignedData) -> None:
    """Notes value and signer of a signature whose attributes are about the bytes it covers."""
    if not signed.signer.signed_attributes:
        raise Undecided(
            "no-attributes", "signatures without signed attributes are not judged", "不支持没有签名属性的签名"
        )
    certificate = signer_certificate(signed, case.trust.intermediates)
    digest = _covered_digest(case.data, signature, signed.signer.digest_algorithm)
    check_attributes(signed, certificate, digest)
    case.values[signature.name], case.signers[signature.name] = signed, certificate


def _signature(case: PdfCase) -> Reason:
    if not case.signatures:
        raise _unsigned()
    if len(case.values) != len(case.signatures):
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for name, signed in case.values.items():
        signer = signed.signer
        message = signer.signed_attributes
        if not verify_signature(
            case.signers[name], signer.signature_algorithm, message, signer.signature, signer.digest_algorithm
        ):
            raise Broken("bad-signature", f"signature {name} is not genuine", f"签名 {name} 验证不通过")
    return passed(f"{len(case.values)} signatures are genuine", f"{len(case.values)} 个签名验证通过")


def _chain(case: PdfCase) -> Reason:
    if not case.signers:
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for name, certificate in case.signers.items():
        embedded = case.values[name].certificates
        chain = case.chains[name] = case.trust.chain(certificate, embedded)
        if len(chain) > 1:  # a certificate trusted by itself is trusted for what it does here
            certificate.check_document_purpose()
        if case.own and not set(embedded) <= set(chain):
            raise Broken(
                "certificate-unused",
                "the signature carries a certificate it does not need",
                "签名中带有不需要的证书",
            )
    return passed("the signer leads to a trusted certificate", "签名者证书可追溯到受信任的证书")


def _validity(case: PdfCase) -> Reason:
    if not case.signers:
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for signature in (signature for signature in case.signatures if signature.name in case.signers):
        moment = check_claimed_time(signature.name, _claimed(case, signature), case.now)
        check_valid_at(case.trust, case.chains.get(signature.name, (case.signers[signature.name],)), moment)
    return passed("the certificates were valid at the signing time", "签署时证书均在有效期内")


def _claimed(case: PdfCase, signature: PdfSignature) -> datetime | None:
    signed = case.values.get(signature.name)
    return signature.claimed_at or (signed.signer.signed_at if signed else None)


def _value(case: PdfCase, signature: PdfSignature) -> bytes:
    """The signature value in DER; BER of other producers is turned into it. Raises ``DerError``."""
    if case.own:
        return without_padding(signature.value)
    value, size = in_der(signature.value)
    if signature.value[size:].strip(b"\0"):
        raise DerError("bytes follow the signature value")
    return value


def _covered_digest(data: bytes, signature: PdfSignature, method: str) -> bytes:
    first, size, second, rest = signature.byte_range
    running, view = new_digest(method), memoryview(data)
    running.update(view[first : first + size])
    running.update(view[second : second + rest])
    return running.digest()


def _no_seal() -> Reason:
    raise NotApplicable("no-seal", "a PDF signature is without a seal", "PDF 签名不带印章结构")


def _unsigned() -> Undecided:
    return Undecided("unsigned", "the file carries no signature", "文件没有签名")


def _facts(case: PdfCase, signature: PdfSignature) -> SignatureFacts:
    signed, certificate = case.values.get(signature.name), case.signers.get(signature.name)
    algorithm = signed.signer.signature_algorithm if signed else ""
    stamped = signed is not None and TIMESTAMP_ATTRIBUTE in signed.signer.unsigned_attributes
    return SignatureFacts(
        name=signature.name,
        kind="pdf",
        algorithm=ALGORITHM_NAMES.get(algorithm, algorithm),
        key_id=certificate.key_id if certificate else "",
        signer=certificate.subject if certificate else "",
        signed_at=_claimed(case, signature) if signed else signature.claimed_at,
        notes=("a timestamp is present and was not judged",) if stamped else (),
    )
