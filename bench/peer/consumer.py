"""The peer's consumer: version and outbox row in one transaction, acknowledged after the commit."""

import asyncio
import hashlib
from datetime import UTC, datetime

from faststream import AckPolicy, FastStream
from sqlalchemy import func, select

from bench.peer.bus import QUEUE, Session, broker
from bench.peer.model import Accepted, LicenceVersion, Outbox

app = FastStream(broker)


@broker.subscriber(QUEUE, ack_policy=AckPolicy.NACK_ON_ERROR)
async def store(accepted: Accepted) -> None:
    """One record; a receipt stored before is a redelivery."""
    permit = accepted.permit
    async with Session.begin() as session:
        known = await session.scalar(
            select(LicenceVersion.id).where(LicenceVersion.receipt == accepted.receipt)
        )
        if known is not None:
            return
        same = (LicenceVersion.number == permit.xkbh, LicenceVersion.issuer == permit.fzjgdm)
        latest = await session.scalar(select(func.max(LicenceVersion.version)).where(*same))
        document = permit.model_dump(mode="json")
        version = LicenceVersion(
            receipt=accepted.receipt,
            number=permit.xkbh,
            issuer=permit.fzjgdm,
            version=(latest or 0) + 1,
            holder=permit.xdr,
            holder_code=permit.xydm,
            region=permit.xzqh,
            issued_on=permit.fzrq,
            valid_until=permit.yxqz,
            digest=hashlib.sha256(permit.model_dump_json().encode()).digest(),
            document=document,
        )
        session.add(version)
        await session.flush()
        data = {"number": permit.xkbh, "version": version.version, "receipt": accepted.receipt}
        session.add(Outbox(version_id=version.id, at=datetime.now(UTC), data=data))


if __name__ == "__main__":
    asyncio.run(app.run())
