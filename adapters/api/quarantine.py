"""``GET /v1/interfaces/{interface}/quarantine``: a department sees its own held records, and why they are held."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from adapters.api.calls import Api, Json, head_of, limit_of, moment, parameters, response, uuid_of, wrong
from adapters.http.problems import fault_json, json_reply
from contracts.record import Language
from core.access import Action, authorise
from core.store.quarantine import CASE_STATES, CaseDetail, CaseState


class Quarantine:
    """The route."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def page(self, request: Request) -> Response:
        principal = await self._api.caller(request)
        interface = request.path_params["interface"]
        authorise(principal, Action.QUARANTINE_READ, interface=interface)
        found = parameters(request, "state", "after", "limit")
        after = uuid_of(found["after"], "after") if "after" in found else None
        limit = limit_of(found)
        cases = await self._api.reader.run(self._read, interface, _state(found), after, limit)
        tongue = head_of(request).tongue
        last = cases[-1].case.receipt if len(cases) == limit else None
        return response(
            json_reply(200, {"cases": [_case_json(case, tongue) for case in cases], "next": last})
        )

    def _read(
        self, interface: str, state: CaseState | None, after: UUID | None, limit: int
    ) -> list[CaseDetail]:
        store = self._api.services.store.quarantine
        page = store.page(interfaces=[interface], state=state, after=after, limit=limit)
        return [store.get(case.receipt, [interface]) for case in page]


def _state(found: dict[str, str]) -> CaseState | None:
    text = found.get("state", "")
    state = next((state for state in CASE_STATES if state == text), None)
    if text and state is None:
        raise wrong("state", "one of " + ", ".join(CASE_STATES))
    return state


def _case_json(detail: CaseDetail, tongue: Language) -> Json:
    """A case for its department: of a conflict the fields that differ, not the other source's values."""
    case = detail.case
    return {
        "receipt": case.receipt,
        "kind": case.kind,
        "state": case.state,
        "rules": case.rules,
        "errors": [fault_json(fault, tongue) for fault in detail.faults],
        "differs_in": [difference.field for difference in detail.differences],
        "opened_at": moment(case.opened_ms),
        "decided_at": moment(case.decided_ms) if case.decided_ms is not None else None,
        "reason": case.reason,
        "resubmission": case.resubmission,
    }
