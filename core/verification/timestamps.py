"""Timestamp tokens (RFC 3161, RFC 5652): what they stamp, when, and who says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import tsp

from core.gm.der import DerError
from core.verification.ber import in_der
from core.verification.certificates import MALFORMED, Certificate, verify_signature
from core.verification.cms import SignedData, check_attributes, parse_signed_data, signer_certificate
from core.verification.digests import digest_of
from core.verification.finding import Broken, Undecided

_TIMESTAMP_INFO = "1.2.840.113549.1.9.16.1.4"


@dataclass(frozen=True)
class Timestamp:
    """A token that is genuine: its authority's certificate is still to be followed."""

    moment: datetime
    certificate: Certificate
    others: tuple[Certificate, ...]


def read_timestamp(data: bytes, stamped: Callable[[str], bytes]) -> Timestamp:
    """The token in ``data``; ``stamped`` gives the digest, by OID of the method, of what it has to be about.

    Raises ``Broken`` when it is about something else or not genuine, ``Undecided`` when it cannot be judged, and ``DerError``.
    """
    value, size = in_der(data)
    if data[size:].strip(b"\0"):
        raise DerError("bytes follow the timestamp")
    token = parse_signed_data(value)
    if token.content_type != _TIMESTAMP_INFO or token.content is None:
        raise DerError("not a timestamp token")
    moment, method, imprint = _contents(token.content)
    if stamped(method) != imprint:
        raise Broken(
            "digest-differs", "what was timestamped was changed afterwards", "加盖时间戳的内容此后被改动"
        )
    certificate = _genuine(token, token.content)
    return Timestamp(moment, certificate, token.certificates)


def _contents(encoding: bytes) -> tuple[datetime, str, bytes]:
    try:
        info = tsp.TSTInfo.load(encoding, strict=True)
        imprint = info["message_imprint"]
        moment: datetime = info["gen_time"].native
        return (
            moment.astimezone(UTC),
            imprint["hash_algorithm"]["algorithm"].dotted,
            imprint["hashed_message"].native,
        )
    except MALFORMED as error:
        raise DerError("the timestamp cannot be read") from error


def _genuine(token: SignedData, content: bytes) -> Certificate:
    signer, certificate = token.signer, signer_certificate(token)
    if not signer.signed_attributes:
        raise Undecided("no-attributes", "the timestamp has no signed attributes", "时间戳没有签名属性")
    check_attributes(token, certificate, digest_of(signer.digest_algorithm, content))
    if not verify_signature(
        certificate,
        signer.signature_algorithm,
        signer.signed_attributes,
        signer.signature,
        signer.digest_algorithm,
        signer.signature_parameters,
    ):
        raise Broken("bad-signature", "the timestamp is not genuine", "时间戳验证不通过")
    return certificate
