"""Receipts: what became of a record; a sender sees its own."""

import time
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, Json, head_of, moment, response, uuid_of
from adapters.http.problems import fault_json, json_reply
from contracts.identity import uuid7_ms
from contracts.outcome import PENDING
from contracts.record import Language
from core.access import Action, allows, granted_interfaces
from core.errors import NotFound, Refused
from core.store.ledger import LedgerRow

PENDING_FOR_MS = 30 * 86_400_000
"""A receipt without an outcome that is older than this was never given."""
CLOCK_MS = 300_000


class Receipts:
    """``GET /v1/receipts/{receipt}``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def show(self, request: Request) -> Response:
        principal = await self._api.caller(request)
        receipt = uuid_of(request.path_params["receipt"], "receipt")
        if not granted_interfaces(principal, Action.RECEIPT_READ):
            raise Refused("access.denied", "no right to read receipts", summary_zh="无权读取回执")
        try:
            row = await self._api.reader.run(self._api.services.store.ledger.entry, receipt)
        except NotFound:
            if not _may_be_pending(receipt):
                raise _unknown(receipt) from None
            return response(
                json_reply(200, {"receipt": receipt, "outcome": PENDING}, [(b"retry-after", b"1")])
            )
        if not allows(principal, Action.RECEIPT_READ, interface=row.interface):
            raise _unknown(receipt)
        return response(json_reply(200, receipt_json(row, head_of(request).tongue)))


def receipt_json(row: LedgerRow, tongue: Language) -> Json:
    """A ledger row as its sender sees it."""
    return {
        "receipt": row.receipt,
        "interface": row.interface,
        "submission": row.submission,
        "position": row.position,
        "outcome": row.outcome.value,
        "licence": row.licence_id,
        "version": row.version_no,
        "rules": row.rules,
        "errors": [fault_json(fault, tongue) for fault in row.faults],
        "cause": row.cause,
        "decided_at": moment(row.decided_ms),
    }


def _may_be_pending(receipt: UUID) -> bool:
    """Whether the id could be a receipt that waits for its outcome: receipts cannot be guessed, only held."""
    age_ms = time.time_ns() // 1_000_000 - uuid7_ms(receipt)
    return receipt.version == 7 and -CLOCK_MS <= age_ms <= PENDING_FOR_MS


def _unknown(receipt: UUID) -> NotFound:
    """The same answer for a receipt of somebody else and for none at all."""
    return NotFound(f"no receipt {receipt}", f"没有回执 {receipt}")
