"""What a new hub needs before it can serve: schema, keys, development authorities, one seal."""

from datetime import UTC, datetime, timedelta

from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.sealing.authority import SEAL_MAKER, SEAL_SIGNER, create_development_authorities
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.store import KeyReference, SealDeclaration
from licencehub.app import Hub

SEAL_YEARS = 5


def found_hub(hub: Hub) -> dict[str, object]:
    """Prepares store and bus, makes the development authorities and seal; what is there already stays. Returns what was made."""
    revision = hub.prepare()
    hub.bus.declare()
    made_seal = not any(hub.seals.entries())
    if made_seal:
        _make_seal(hub)
    return {"schema": revision, "seal": made_seal, "hub_id": hub.store.journal.hub_id()}


def _make_seal(hub: Hub) -> None:
    """A seal of the library itself, in its development authority's name, for every type and issuer."""
    authorities = create_development_authorities(
        hub.authority_folder, organisation=hub.config.hub.library_name
    )
    signer = authorities.seals.signer(SEAL_SIGNER)
    now = datetime.now(UTC).replace(microsecond=0)
    design = SealDesign(
        name=f"{hub.config.hub.library_name} development seal",
        picture_png=draw_seal(SealText("电子证照枢纽开发库", "开发专用章"), FONTS / SHIPPED_FONT),
        signer_certificates=(signer.certificate,),
        created=now,
        valid_from=now - timedelta(minutes=5),
        valid_until=now + timedelta(days=365 * SEAL_YEARS),
    )
    ses = make_seal(authorities.seals.signer(SEAL_MAKER), design)
    issued = "../authority/seals/" + SEAL_SIGNER
    key = KeyReference(pem=f"{issued}.key", certificate=f"{issued}.crt")
    hub.seals.add("development", ses.encoding, SealDeclaration(key=key))
