"""Pushes one form with files through a gateway's application, and kills itself at its n-th step on request.

Prints the receipt when, and only when, the sender was answered.
"""

import asyncio
import sys
from pathlib import Path

import httpx

from adapters.api.app import build_app
from adapters.http.server import Draining
from core.config import load_config
from core.store.attachments import AttachmentStore
from faults.hub_process import Fuse
from form_material import form, form_media, picture, scan, the_record
from gateway_parts import record
from licencehub.app import Hub
from licencehub.gateway import gateway_services
from router.intake.coalesce import Coalescer

INTERFACE = "scanned"


def content(number: str) -> bytes:
    """The form of a record and its two pages; the second page is shared by all."""
    return form(the_record(record(number)), scan(picture() + number.encode()), scan(picture("red")))


async def push(hub: Hub, number: str, key: str, fuse: Fuse) -> None:
    services = gateway_services(hub, Draining())
    app = build_app(services)
    await services.intake.open()
    fuse.around(AttachmentStore, "put")
    fuse.around(AttachmentStore, "published")
    fuse.around_commits()
    publish = Coalescer.publish

    async def stepped(*arguments: object, **named: object) -> object:
        fuse.step()
        result = await publish(*arguments, **named)  # type: ignore[arg-type]  # handed through
        fuse.step()
        return result

    setattr(Coalescer, "publish", stepped)  # noqa: B010 -- mypy knows a method cannot be assigned to
    headers = {"Authorization": f"Bearer {_bearer(hub)}", "Idempotency-Key": key} | form_media()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        services.directory.refresh()
        answer = await client.post(
            f"/v1/interfaces/{INTERFACE}/records", content=content(number), headers=headers
        )
    sys.stdout.write(answer.json()["records"][0]["receipt"])
    sys.stdout.flush()
    fuse.step()
    await services.intake.aclose()


def _bearer(hub: Hub) -> str:
    return (hub.folder / "secrets" / "client-developer.key").read_text().strip()


if __name__ == "__main__":
    config, number_, key_, kill_at = sys.argv[1:5]
    with Hub(load_config(Path(config)), "fault-push") as opened:
        asyncio.run(push(opened, number_, key_, Fuse(int(kill_at))))
