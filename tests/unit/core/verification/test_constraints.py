"""What authorities limit below themselves: path lengths, names, extensions, and algorithms that prove nothing."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID, ObjectIdentifier

from core.verification.certificates import Certificate
from core.verification.finding import Undecided
from core.verification.trust import TrustStore

Authority = tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes]


def named(organisation: str, name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def certificate(
    subject: x509.Name,
    issuer: Authority | None,
    *extensions: x509.ExtensionType,
    authority: bool = True,
    length: int | None = None,
    key: CertificateIssuerPrivateKeyTypes | None = None,
) -> Authority:
    own = key or ec.generate_private_key(ec.SECP256R1())
    above = issuer[0].subject if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=length), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(
            extension, critical=not isinstance(extension, x509.SubjectAlternativeName)
        )
    return builder.sign(issuer[1] if issuer else own, hashes.SHA256()), own


def der(authority: Authority) -> bytes:
    return authority[0].public_bytes(serialization.Encoding.DER)


def follow(root: Authority, leaf: Authority, *between: Authority) -> str:
    """Why the leaf does not lead to the root, or empty when it does."""
    store = TrustStore.of([der(root)], [der(one) for one in between])
    try:
        store.chain(Certificate(der(leaf)))
    except Undecided as finding:
        return finding.reason.en
    return ""


def only(*names: x509.GeneralName) -> x509.NameConstraints:
    return x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None)


def never(*names: x509.GeneralName) -> x509.NameConstraints:
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=list(names))


PROVINCE = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Province")]))
MAIL = x509.RFC822Name("office@example.cn")


@pytest.mark.parametrize(
    ("constraints", "organisation", "alternative", "fits"),
    [
        (only(PROVINCE), "Province", None, True),
        (only(PROVINCE), "Other", None, False),
        (never(PROVINCE), "Province", None, False),
        (never(PROVINCE), "Other", None, True),
        (only(x509.RFC822Name("example.cn")), "Other", MAIL, True),
        (only(x509.RFC822Name(".example.cn")), "Other", MAIL, False),
        (only(x509.RFC822Name("example.com")), "Other", MAIL, False),
        (only(x509.RFC822Name("office@example.cn")), "Other", MAIL, True),
        (only(x509.DNSName("example.cn")), "Other", x509.DNSName("a.example.cn"), True),
        (never(x509.DNSName("example.cn")), "Other", x509.DNSName("a.example.cn"), False),
        (only(x509.DNSName("example.cn")), "Other", x509.DNSName("badexample.cn"), False),
        (
            only(x509.UniformResourceIdentifier(".example.cn")),
            "Other",
            x509.UniformResourceIdentifier("https://a.example.cn/x"),
            True,
        ),
        (
            only(x509.UniformResourceIdentifier("example.cn")),
            "Other",
            x509.UniformResourceIdentifier("https://a.example.cn/x"),
            False,
        ),
    ],
)
def test_names_an_authority_may_vouch_for(
    constraints: x509.NameConstraints, organisation: str, alternative: x509.GeneralName | None, fits: bool
) -> None:
    root = certificate(named("Root", "Root"), None, constraints)
    extensions = [x509.SubjectAlternativeName([alternative])] if alternative else []
    leaf = certificate(named(organisation, "Leaf"), root, *extensions, authority=False)
    assert (follow(root, leaf) == "") is fits


def test_constraints_of_an_authority_between_hold_too() -> None:
    root = certificate(named("Root", "Root"), None)
    middle = certificate(named("Province", "Middle"), root, only(PROVINCE))
    assert follow(root, certificate(named("Province", "Leaf"), middle, authority=False), middle) == ""
    told = follow(root, certificate(named("Other", "Leaf"), middle, authority=False), middle)
    assert "may not vouch for the directory_name" in told


def test_a_path_longer_than_an_authority_allows_is_told() -> None:
    root = certificate(named("Root", "Root"), None, length=0)
    middle = certificate(named("Root", "Middle"), root)
    leaf = certificate(named("Root", "Leaf"), middle, authority=False)
    assert "allows 0 authorities below it, there are 1" in follow(root, leaf, middle)


def test_a_critical_extension_nobody_understands_is_told() -> None:
    strange = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    root = certificate(named("Root", "Root"), None)
    leaf = certificate(named("Root", "Leaf"), root, strange, authority=False)
    assert "not understood, 1.2.3.4" in follow(root, leaf)


def test_a_short_key_above_is_told() -> None:
    root = certificate(named("Root", "Root"), None, key=rsa.generate_private_key(65537, 1024))  # the case
    leaf = certificate(named("Root", "Leaf"), root, authority=False)
    assert "fewer than 2048 bits" in follow(root, leaf)


def test_sha_1_above_is_told() -> None:
    root = certificate(named("Root", "Root"), None, key=rsa.generate_private_key(65537, 2048))
    leaf = certificate(named("Root", "Leaf"), root, authority=False)
    weak = Certificate(
        der(leaf).replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    )
    with pytest.raises(Undecided, match="SHA-1 with RSA is too weak"):
        TrustStore.of([der(root)]).chain(weak)
