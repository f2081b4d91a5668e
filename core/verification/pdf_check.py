"""The security steps for a signed PDF: byte ranges, digest, signature, chain, validity. A PDF has no seal structure to judge."""

from dataclasses import dataclass, field
from datetime import datetime

from core.gm.der import DerError
from core.verification.certificates import ALGORITHM_NAMES, Certificate
from core.verification.finding import Broken, Finding, Undecided
from core.verification.limits import Limits
from core.verification.pdf import PdfSignature, is_blank, read_pdf
from core.verification.pdf_additions import NO_CHANGES, later_changes, permission, signature_values
from core.verification.pdf_canonical import canonical_pdf_faults
from core.verification.pdf_changes import Changes
from core.verification.pdf_structure import Revision, read_revision
from core.verification.pdf_syntax import Budget, StructureError
from core.verification.pdf_values import PdfValue, read_value
from core.verification.proceedings import NotApplicable, Proceedings, genuine, passed
from core.verification.report import Reason, SignatureFacts, Step, Text, UncoveredBytes
from core.verification.timestamps import Timestamp
from core.verification.trust import TrustStore, check_claimed_time, check_valid_at

_NOT_OF_SIGNERS = {
    "weak-digest",
    "weak-algorithm",
    "weak-key",
    "digest-unsupported",
    "algorithm-unsupported",
    "key-unsupported",
    "no-attributes",
    "signer-missing",
}
"""What leaves a document timestamp without worth and the signatures beside it as they are."""


@dataclass
class PdfCase:
    """A PDF under examination; each step adds what later ones need."""

    data: bytes
    trust: TrustStore
    now: datetime
    limits: Limits
    signatures: tuple[PdfSignature, ...] = ()
    values: dict[str, PdfValue] = field(default_factory=dict)
    later: dict[str, Changes] = field(default_factory=dict)
    """What came after each signature and alters nothing that is seen."""
    chains: dict[str, tuple[Certificate, ...]] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """The signed part says that a hub wrote the file."""
        return any(signature.own for signature in self.signatures)

    @property
    def of_people(self) -> tuple[PdfSignature, ...]:
        """The signatures that are more than timestamps."""
        return tuple(signature for signature in self.signatures if not signature.is_timestamp)


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
    """Bytes after the last range that a signer covers, whether or not a document timestamp covers them."""
    end = case.of_people[-1].end if case.of_people else 0
    rest = len(case.data) - end
    if not end or not rest:
        return ()
    en, zh = _named(case.later.get(case.of_people[-1].name, Changes()))
    return (UncoveredBytes(end, rest, f"after the signed range{en}", f"签名范围之后{zh}"),)


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
    if all(is_blank(case.data, signature.end) for signature in case.signatures):
        return passed("the signature covers the whole file", "签名覆盖整个文件")
    undecided: Undecided | None = None
    try:
        final = read_revision(case.data, len(case.data), Budget())
        for signature in case.signatures:
            if not is_blank(case.data, signature.end):
                try:
                    case.later[signature.name] = _later(case, signature, final)
                except Undecided as finding:
                    undecided = undecided or finding
    except StructureError as error:
        raise Broken(
            "content-after-signature",
            f"content was added after a signature, and what it changes cannot be read: {error}",
            "签名之后追加了内容，且无法读出其改动",
        ) from error
    if undecided:
        raise undecided
    if not case.of_people or not (rest := uncovered(case)):
        return passed(
            "the last signature covers the whole file, and nothing that is seen was changed after an earlier one",
            "最后一个签名覆盖整个文件，此前签名之后所见内容未改动",
        )
    return passed(
        f"nothing that is seen was changed after signing; not covered by a signer: {rest[0].what}",
        f"签名后所见内容未改动；签署者未覆盖：{rest[0].what_zh}",
    )


def _later(case: PdfCase, signature: PdfSignature, final: Revision) -> Changes:
    signed = read_revision(case.data, signature.end, final.budget)
    judged = {other.number for other in case.signatures if other.number}
    changes = later_changes(signed, final, signature.end, judged)
    own = signature_values(signed).get(signature.number)
    timestamps = {other.number for other in case.signatures if other.is_timestamp}
    if set(changes.visible) & timestamps:
        raise Broken(
            "content-after-signature", "a timestamp shows a mark on a page", "时间戳在页面上显示了标记"
        )
    if own and permission(signed, own) == NO_CHANGES and set(changes.signatures) - timestamps:
        raise Broken(
            "changes-not-allowed",
            f"signature {signature.name} certified the file against any change, and it was signed again",
            f"签名 {signature.name} 认证文件不得改动，之后却又加签",
        )
    return changes


def _named(changes: Changes) -> tuple[str, str]:
    """What a later part holds, for people."""
    parts = []
    if changes.store:
        parts.append(("validation store (DSS)", "验证资料库 (DSS)"))
    if changes.signatures:
        parts.append(("timestamps or further signatures", "时间戳或其他签名"))
    if changes.metadata:
        parts.append(("document metadata", "文档元数据"))
    if not parts:
        return "", ""
    return ": " + ", ".join(en for en, _ in parts), "：" + "、".join(zh for _, zh in parts)


def _digests(case: PdfCase) -> Reason:
    undecided: Undecided | None = None
    for signature in case.signatures:
        try:
            case.values[signature.name] = read_value(
                case.data, signature, case.trust.intermediates, own=case.own
            )
        except DerError as error:
            if signature.is_timestamp:
                continue
            raise Broken(
                "signed-value", f"the signature value is malformed: {error}", "签名值格式错误"
            ) from error
        except Finding as finding:
            if isinstance(finding, Undecided) and not signature.is_timestamp:
                undecided = undecided or finding
            elif not signature.is_timestamp or finding.reason.code not in _NOT_OF_SIGNERS:
                raise
    if undecided:
        raise undecided
    if not case.signatures:
        raise NotApplicable("no-signature", "there is no signature", "没有签名")
    return passed("the covered bytes are as they were signed", "被覆盖的字节与签名时一致")


def _signature(case: PdfCase) -> Reason:
    if not case.signatures:
        raise _unsigned()
    if any(signature.name not in case.values for signature in case.of_people):
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for name, value in case.values.items():
        if not value.is_genuine():
            raise Broken("bad-signature", f"signature {name} is not genuine", f"签名 {name} 验证不通过")
    if not case.of_people:
        raise Undecided(
            "only-timestamps", "the file carries timestamps, and nobody signed it", "文件只有时间戳，无人签名"
        )
    return genuine(len(case.values))


def _chain(case: PdfCase) -> Reason:
    values = [(s.name, case.values[s.name]) for s in case.of_people if s.name in case.values]
    if not values:
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    undecided: Undecided | None = None
    for name, value in values:
        try:
            chain = case.chains[name] = case.trust.chain(value.certificate, value.others)
        except Undecided as finding:
            undecided = undecided or finding
            continue
        if len(chain) > 1:  # a certificate trusted by itself is trusted for what it does here
            value.certificate.check_document_purpose()
        if case.own and not set(value.others) <= set(chain):
            raise Broken(
                "certificate-unused",
                "the signature carries a certificate it does not need",
                "签名中带有不需要的证书",
            )
    if undecided:
        raise undecided
    return passed("the signer leads to a trusted certificate", "签名者证书可追溯到受信任的证书")


def _validity(case: PdfCase) -> Reason:
    signatures = [signature for signature in case.of_people if signature.name in case.values]
    if not signatures:
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for signature in signatures:
        moment = check_claimed_time(signature.name, _moment(case, signature), case.now)
        alone = (case.values[signature.name].certificate,)
        check_valid_at(case.trust, case.chains.get(signature.name, alone), moment)
    return passed("the certificates were valid at the signing time", "签署时证书均在有效期内")


def _moment(case: PdfCase, signature: PdfSignature) -> datetime | None:
    """When it was signed, as the signer says; else when a timestamp of a trusted authority says it was there."""
    value = case.values.get(signature.name)
    claimed = signature.claimed_at or (value.claimed_at if value else None)
    if claimed or value is None:
        return claimed
    token = _token(value)
    return token.moment if token and _is_trusted(case, token) else None


def _token(value: PdfValue) -> Timestamp | None:
    try:
        return value.timestamp()
    except (Finding, DerError):
        return None


def _is_trusted(case: PdfCase, token: Timestamp) -> bool:
    """Whether the token's authority leads to the trust store, may stamp times, and stood when it did."""
    try:
        chain = case.trust.chain(token.certificate, token.others)
        if len(chain) > 1:
            token.certificate.check_timestamp_purpose()
        check_valid_at(case.trust, chain, token.moment)
    except Finding:
        return False
    return True


def _no_seal() -> Reason:
    raise NotApplicable("no-seal", "a PDF signature is without a seal", "PDF 签名不带印章结构")


def _unsigned() -> Undecided:
    return Undecided("unsigned", "the file carries no signature", "文件没有签名")


def _facts(case: PdfCase, signature: PdfSignature) -> SignatureFacts:
    value = case.values.get(signature.name)
    algorithm = value.algorithm if value else ""
    return SignatureFacts(
        name=signature.name,
        kind="timestamp" if signature.is_timestamp else "pdf",
        algorithm=ALGORITHM_NAMES.get(algorithm, algorithm),
        key_id=value.certificate.key_id if value else "",
        signer=value.certificate.subject if value else "",
        signed_at=(value.stamped_at if value else None) or _moment(case, signature),
        notes=tuple(_notes(case, signature, value)),
    )


def _notes(case: PdfCase, signature: PdfSignature, value: PdfValue | None) -> list[Text]:
    notes = []
    if signature.is_timestamp or (value and value.has_timestamp):
        token = _token(value) if value else None
        if token is None:
            notes.append(Text("its timestamp does not hold or cannot be judged", "其时间戳不成立或无法判断"))
        elif _is_trusted(case, token):
            notes.append(
                Text(
                    f"timestamp {token.moment.isoformat()}, trusted",
                    f"时间戳 {token.moment.isoformat()}，可信",
                )
            )
        else:
            notes.append(
                Text(
                    f"timestamp {token.moment.isoformat()} of an authority that is not trusted here",
                    f"时间戳 {token.moment.isoformat()}，其机构在此不受信任",
                )
            )
    shown = {number for changes in case.later.values() for number in changes.visible}
    if signature.number and signature.number in shown:
        notes.append(
            Text(
                "shows a mark on a page that earlier signatures do not cover",
                "在页面上显示此前签名未覆盖的标记",
            )
        )
    return notes
