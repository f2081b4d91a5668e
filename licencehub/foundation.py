"""What a new hub needs before it can serve: schema, keys, development authorities, one seal."""

from datetime import UTC, datetime

from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.sealing.authority import complete_development_authorities
from core.sealing.picture import SealText
from core.service.seals import NewSeal, create_seal
from licencehub.app import Hub


def found_hub(hub: Hub) -> dict[str, object]:
    """Prepares store and bus, makes the development authorities and seal; what is there already stays. Returns what was made.

    It can be run again after a failure: keys and certificates that were made by then are taken up.
    """
    revision = hub.prepare()
    hub.bus.declare()
    made_seal = not any(hub.seals.entries())
    if made_seal:
        _make_seal(hub)
    return {"schema": revision, "seal": made_seal, "hub_id": hub.store.journal.hub_id()}


def _make_seal(hub: Hub) -> None:
    """A seal of the library itself, in its development authority's name, for every type and issuer."""
    organisation = hub.config.hub.library_name
    authorities = complete_development_authorities(hub.authority_folder, organisation=organisation)
    wanted = NewSeal(name="development", text=SealText("电子证照枢纽开发库", "开发专用章"))
    now = datetime.now(UTC).replace(microsecond=0)
    create_seal(hub.seals, authorities.seals, wanted, FONTS / SHIPPED_FONT, now)
