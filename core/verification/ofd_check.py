"""The security steps for an OFD: container, coverage, digests, seal, signature, seal maker, chain, validity."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from core.gm.der import DerError
from core.sealing.ses import SesSignature
from core.verification.canonical import canonical_faults
from core.verification.certificates import ALGORITHM_NAMES, Certificate, certificate_of
from core.verification.container import Container, open_container
from core.verification.digests import new_digest
from core.verification.finding import Broken, Undecided
from core.verification.limits import Limits
from core.verification.ofd import CONTAINER_PARAMETER, OfdDocument, OfdSignature, read_ofd
from core.verification.proceedings import NotApplicable, Proceedings, genuine, passed
from core.verification.report import Reason, SignatureFacts, Step, Text
from core.verification.signed_values import (
    Plain,
    Signed,
    SignedValue,
    check_plain,
    check_ses,
    maker_coverage,
    read_signed_value,
)
from core.verification.trust import MOST_OTHERS, TrustStore, check_claimed_time, check_valid_at

_CERTIFICATE_SUFFIXES = (".cer", ".crt", ".der")


@dataclass
class OfdCase:
    """An OFD under examination; each step adds what later ones need."""

    data: bytes
    trust: TrustStore
    now: datetime
    limits: Limits
    container: Container | None = None
    document: OfdDocument | None = None
    values: dict[str, SignedValue] = field(default_factory=dict)
    signed: dict[str, Signed] = field(default_factory=dict)
    chains: list[tuple[Certificate, ...]] = field(default_factory=list)

    @property
    def signatures(self) -> tuple[OfdSignature, ...]:
        return self.document.signatures if self.document else ()

    @property
    def own(self) -> bool:
        """The signed part says that a hub wrote the file."""
        return any(CONTAINER_PARAMETER in signature.parameters for signature in self.signatures)

    @property
    def opened(self) -> Container:
        if self.container is None:
            raise AssertionError("the container step comes first")
        return self.container


def examine(case: OfdCase, proceedings: Proceedings) -> None:
    """Takes the case through the security steps."""
    steps = {
        Step.CONTAINER: _container,
        Step.COVERAGE: _coverage,
        Step.DIGESTS: _digests,
        Step.SEAL_EQUAL: _seal_equal,
        Step.SIGNATURE: _signature,
        Step.SEAL_MAKER: _seal_maker,
        Step.CHAIN: _chain,
        Step.VALIDITY: _validity,
    }
    for step, check in steps.items():
        proceedings.take(step, lambda check=check: check(case))  # type: ignore[misc]  # mypy does not type default arguments of lambdas


def facts_of(case: OfdCase) -> tuple[SignatureFacts, ...]:
    """What the signatures say of themselves, as far as they could be read."""
    return tuple(_facts(case, signature) for signature in case.signatures)


def unsigned_members(case: OfdCase) -> tuple[str, ...]:
    """Members (not folders) that no reference names; a signature's own two files are covered by the signature itself."""
    if case.container is None:
        return ()
    covered = {reference.member for signature in case.signatures for reference in signature.references}
    own = {member for signature in case.signatures for member in (signature.member, signature.signed_value)}
    names = (name for name, member in case.container.members.items() if not member.is_folder)
    return tuple(sorted(name for name in names if name not in covered | own))


def _container(case: OfdCase) -> Reason:
    case.container = open_container(case.data, case.limits)
    case.document = read_ofd(case.container)
    if not case.own:
        return passed("the container is sane", "容器结构正常")
    if faults := canonical_faults(case.data):
        raise Broken(faults[0].rule, faults[0].message, faults[0].message_zh)
    return passed("the container is in the hub's one form", "容器为枢纽的唯一规范形式")


def _coverage(case: OfdCase) -> Reason:
    if not case.signatures:
        raise Undecided("unsigned", "the file carries no signature", "文件没有签名")
    for signature in case.signatures:
        _references_lead_to_members(signature, case.opened)
    allowed = {*(case.document.signature_lists if case.document else ()), *_loose_certificates(case)}
    bare = [name for name in unsigned_members(case) if name not in allowed]
    if bare:
        names = ", ".join(bare[:5])
        raise Broken("unsigned-members", f"no signature covers {names}", f"没有签名覆盖 {names}")
    if unsigned_members(case):
        return passed(
            "every part is covered; the list of signatures is open for further ones",
            "所有部分均被覆盖；签名列表可继续追加",
        )
    return passed("every part is covered", "所有部分均被覆盖")


def _references_lead_to_members(signature: OfdSignature, container: Container) -> None:
    names = [reference.member for reference in signature.references]
    if len(set(names)) != len(names):
        raise Broken(
            "reference-twice",
            f"signature {signature.name} names a part twice",
            f"签名 {signature.name} 重复引用",
        )
    for name in names:
        if name not in container.members:
            raise Broken(
                "reference-missing", f"{name} is signed but not in the file", f"{name} 已签名但不在文件中"
            )


def _digests(case: OfdCase) -> Reason:
    if not case.signatures:
        raise NotApplicable("no-signature", "there is no signature", "没有签名")
    known: dict[tuple[str, str], bytes] = {}
    for signature in case.signatures:
        for reference in signature.references:
            key = (reference.member, signature.check_method)
            if key not in known:
                known[key] = _member_digest(case.opened, *key)
            if known[key] != reference.check_value:
                raise Broken(
                    "digest-differs",
                    f"{reference.member} was changed after signing",
                    f"{reference.member} 在签名后被改动",
                )
    return passed(f"{len(known)} parts are as they were signed", f"{len(known)} 个部分与签名时一致")


def _member_digest(container: Container, member: str, method: str) -> bytes:
    running = new_digest(method)
    for piece in container.pieces(member):
        running.update(piece)
    return running.digest()


def _seal_equal(case: OfdCase) -> Reason:
    if not case.signatures:
        raise NotApplicable("no-signature", "there is no signature", "没有签名")
    compared = 0
    for signature in case.signatures:
        data = case.opened.read(signature.signed_value, case.limits.binary_bytes)
        value = case.values[signature.name] = read_signed_value(signature, data)
        if not signature.seal or isinstance(value, Plain):
            continue
        if case.opened.read(signature.seal, case.limits.binary_bytes) != value.seal.encoding:
            raise Broken(
                "seal-differs",
                f"{signature.seal} is not the seal that signed",
                f"{signature.seal} 与签名所用印章不一致",
            )
        compared += 1
    if not compared:
        raise NotApplicable(
            "no-seal", "there is no seal beside the signature to compare", "签名旁没有可比较的印章"
        )
    return passed("the seal shown is the seal that signed", "所示印章即签名所用印章")


def _signature(case: OfdCase) -> Reason:
    if not case.signatures:
        raise Undecided("unsigned", "the file carries no signature", "文件没有签名")
    if len(case.values) != len(case.signatures):
        raise Undecided("no-value", "there is no signature value to judge", "没有可验证的签名值")
    for signature in case.signatures:
        value = case.values[signature.name]
        try:
            case.signed[signature.name] = (
                check_ses(signature, value)
                if isinstance(value, SesSignature)
                else check_plain(signature, value, _certificates_at_hand(case, signature))
            )
        except DerError as error:
            raise Broken(
                "signed-value", f"the signature value is malformed: {error}", "签名值格式错误"
            ) from error
    return genuine(len(case.signed))


def _seal_maker(case: OfdCase) -> Reason:
    values = [value for value in case.values.values() if isinstance(value, SesSignature)]
    if not values:
        raise NotApplicable("no-seal", "the signature is without a seal", "签名不带印章")
    coverage = []
    for value in values:
        signer = certificate_of(value.certificate)
        if not value.seal.lists(signer.encoding, signer.digests()):
            raise Broken(
                "signer-not-listed",
                f"the seal does not list {signer.subject}",
                f"印章证书列表中没有 {signer.subject}",
            )
        coverage.append(maker_coverage(value.seal))
    said = "; ".join(sorted(set(coverage)))
    return passed(
        f"the seal is its maker's work and lists the signer (the maker signed: {said})",
        f"印章由制章者签发并列有签章人（制章签名范围：{said}）",
    )


def _chain(case: OfdCase) -> Reason:
    undecided: Undecided | None = None
    for certificate, maker, others in _to_chain(case):
        try:
            chain = case.trust.chain(certificate, others)
        except Undecided as finding:
            undecided = undecided or finding
            case.chains.append((certificate,))
            continue
        case.chains.append(chain)
        if len(chain) > 1:  # a certificate trusted by itself is trusted for what it does here
            certificate.check_seal_maker_purpose() if maker else certificate.check_document_purpose()
    if undecided:
        raise undecided
    if not case.chains:
        raise Undecided("unsigned", "there is no certificate to follow", "没有可追溯的证书")
    return passed(
        "signer and seal maker lead to trusted certificates", "签章人与制章者证书可追溯到受信任的证书"
    )


def _validity(case: OfdCase) -> Reason:
    if not case.signed:
        raise Undecided("unsigned", "there is no signing time", "没有签署时间")
    for name, signed in case.signed.items():
        moment = check_claimed_time(name, signed.signed_at, case.now)
        value = case.values[name]
        if isinstance(value, SesSignature):
            _seal_valid_at(case, value, moment)
        for chain in (chain for chain in case.chains if chain[0] == signed.certificate):
            check_valid_at(case.trust, chain, moment)
    return passed("seal and certificates were valid at the signing time", "签署时印章与证书均在有效期内")


def _seal_valid_at(case: OfdCase, value: SesSignature, moment: datetime) -> None:
    info = value.seal.info
    if not info.valid_from <= moment <= info.valid_until:
        raise Broken(
            "seal-not-valid",
            f"the seal is valid {info.valid_from.date()} to {info.valid_until.date()}, it was used {moment.isoformat()}",
            f"印章有效期为 {info.valid_from.date()} 至 {info.valid_until.date()}，使用时间为 {moment.isoformat()}",
        )
    maker = certificate_of(value.seal.maker_certificate)
    for chain in (chain for chain in case.chains if chain[0] == maker):
        _maker_valid(case.trust, chain, info.created, moment)


def _maker_valid(
    trust: TrustStore, chain: tuple[Certificate, ...], created: datetime, used: datetime
) -> None:
    """The maker's chain must stand at the seal's creation, or at its use: creation is often stated by the day, or copied."""
    try:
        check_valid_at(trust, chain, created)
    except Broken as finding:
        if finding.reason.code != "certificate-not-yet-valid":
            raise
        check_valid_at(trust, chain, used)


def _to_chain(case: OfdCase) -> Iterable[tuple[Certificate, bool, tuple[Certificate, ...]]]:
    """Each certificate to follow, whether it is a seal maker's, and what came along with it."""
    for name, signed in case.signed.items():
        yield signed.certificate, False, signed.others
        value = case.values[name]
        if isinstance(value, SesSignature):
            yield certificate_of(value.seal.maker_certificate), True, ()


def _loose_certificates(case: OfdCase) -> tuple[str, ...]:
    """Certificate files beside a signature: they prove themselves by fitting it."""
    folders = {
        signature.member.rpartition("/")[0] for signature in case.signatures if signature.kind == "Sign"
    }
    names = case.opened.members if case.container else ()
    return tuple(
        name for name in names if name.rpartition("/")[0] in folders and name.endswith(_CERTIFICATE_SUFFIXES)
    )


def _certificates_at_hand(case: OfdCase, signature: OfdSignature) -> tuple[Certificate, ...]:
    folder = signature.member.rpartition("/")[0]
    beside = [name for name in _loose_certificates(case) if name.rpartition("/")[0] == folder][:MOST_OTHERS]
    read = [certificate_of(case.opened.read(name, case.limits.binary_bytes)) for name in beside]
    return (*read, *case.trust.anchors, *case.trust.intermediates)


def _facts(case: OfdCase, signature: OfdSignature) -> SignatureFacts:
    value, signed = case.values.get(signature.name), case.signed.get(signature.name)
    seal = value.seal.info if isinstance(value, SesSignature) else None
    notes = (
        (Text("a timestamp is present and was not judged", "含时间戳，未作判断"),)
        if isinstance(value, SesSignature) and value.timestamp
        else ()
    )
    algorithm = signed.algorithm if signed else signature.method
    return SignatureFacts(
        name=signature.name,
        kind="seal" if seal else "signature",
        algorithm=ALGORITHM_NAMES.get(algorithm, algorithm),
        key_id=signed.certificate.key_id if signed else "",
        signer=signed.certificate.subject if signed else "",
        signed_at=signed.signed_at if signed else signature.claimed_at,
        seal_name=seal.name if seal else "",
        seal_version=seal.version if seal else None,
        notes=notes,
    )
