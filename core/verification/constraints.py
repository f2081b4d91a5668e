"""What an authority limits below itself: names (RFC 5280, 4.2.1.10) and extensions a verifier has to understand (4.2)."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.verification.certificates import MALFORMED, Certificate
from core.verification.report import Text

_UNDERSTOOD = {
    "basic_constraints",
    "certificate_policies",
    "crl_distribution_points",
    "extended_key_usage",
    "inhibit_any_policy",
    "issuer_alt_name",
    "key_usage",
    "name_constraints",
    "policy_constraints",
    "policy_mappings",
    "subject_alt_name",
}
_COMPARED = {"directory_name", "rfc822_name", "dns_name", "uniform_resource_identifier"}


def chain_doubt(chain: Sequence[Certificate]) -> Text | None:
    """Why the certificates from a signer up to an anchor do not hold together, or None."""
    try:
        return _doubt(chain)
    except MALFORMED:
        return Text(": a name or constraint on the way cannot be read", "：途中的名称或约束无法解析")


def _doubt(chain: Sequence[Certificate]) -> Text | None:
    for place, certificate in enumerate(chain):
        if unknown := certificate.parsed.critical_extensions - _UNDERSTOOD:
            name = min(map(str, unknown))
            return Text(
                f": {certificate.subject} has an extension that is not understood, {name}",
                f"：{certificate.subject} 含有无法理解的扩展 {name}",
            )
        constraints = certificate.parsed.name_constraints_value
        if constraints is None:
            continue
        for below in chain[:place]:
            if fault := _outside(constraints, below):
                return Text(
                    f": {certificate.subject} may not vouch for the {fault} of {below.subject}",
                    f"：{certificate.subject} 无权证明 {below.subject} 的 {fault}",
                )
    return None


def _outside(constraints: Any, certificate: Certificate) -> str:
    permitted = [subtree["base"] for subtree in constraints["permitted_subtrees"] or ()]
    excluded = [subtree["base"] for subtree in constraints["excluded_subtrees"] or ()]
    for kind, name in _names(certificate):
        within = [base for base in permitted if base.name == kind]
        beyond = [base for base in excluded if base.name == kind]
        if kind not in _COMPARED and (within or beyond):
            return kind
        if within and not any(_is_within(kind, name, base) for base in within):
            return kind
        if any(_is_within(kind, name, base) for base in beyond):
            return kind
    return ""


def _names(certificate: Certificate) -> Iterator[tuple[str, Any]]:
    """Every name of the subject by its kind; directory names as their parts, others as text."""
    parts = _parts(certificate.parsed.subject)
    if parts:
        yield "directory_name", parts
    written = certificate.parsed.subject.native.get("email_address", ())
    for address in [written] if isinstance(written, str) else written:
        yield "rfc822_name", address
    for name in certificate.parsed.subject_alt_name_value or ():
        yield name.name, _parts(name.chosen) if name.name == "directory_name" else str(name.native)


def _parts(name: Any) -> list[str]:
    return [part.hashable for part in name.chosen]


def _is_within(kind: str, name: Any, base: Any) -> bool:
    if kind == "directory_name":
        above = _parts(base.chosen)
        return bool(name[: len(above)] == above)
    limit, text = str(base.native).lower(), str(name).lower()
    if kind == "uniform_resource_identifier":
        host = text.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        return _is_host_within(host, limit)
    if kind == "rfc822_name":
        return text == limit if "@" in limit else _is_host_within(text.rpartition("@")[2], limit)
    return not limit or text == limit or text.endswith(f".{limit.lstrip('.')}")


def _is_host_within(host: str, limit: str) -> bool:
    """A limit with a leading dot means every host below it, one without means that host alone."""
    return host.endswith(limit) if limit.startswith(".") else host == limit
