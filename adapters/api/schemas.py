"""JSON Schemas (2020-12) of what the routes answer; tests hold every answer against them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.api.licence_json import NOT_SHOWN
from contracts.outcome import PENDING, Outcome
from contracts.record import Status
from core.store.licences import LicenceView
from core.store.quarantine import CASE_STATES
from core.verification.report import Outcome as StepOutcome
from core.verification.report import Step, Verdict

REF = "#/components/schemas/"

Schema = dict[str, Any]


def schemas() -> Schema:
    """The components by name."""
    _refs, contracts = msgspec.json.schema_components((LicenceView,), ref_template=REF + "{name}")
    view = contracts.pop("LicenceView")
    return {**contracts, "Licence": _licence(view), **_ANSWERS}


def record(required: Iterable[str] = (), **properties: Schema) -> Schema:
    """An object with those members; further ones may come with a later release."""
    return {"type": "object", "properties": properties, "required": list(required)}


def _licence(view: Schema) -> Schema:
    """A licence as ``licence_json`` shows it."""
    shown = {name: schema for name, schema in view["properties"].items() if name not in NOT_SHOWN}
    own: Schema = {
        "superseded": {"type": "boolean"},
        "superseded_by": {"type": ["string", "null"], "description": "The identifier that is current"},
        "updated_at": _MOMENT,
    }
    required = [name for name in view["required"] if name in shown]
    return record([*required, *own], **shown, **own)


def _listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_DATE: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_BOTH_TONGUES = record(("en", "zh-CN"), **{"en": _TEXT, "zh-CN": _TEXT})
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_ERRORS = _listed({"$ref": f"{REF}Error"})
_NEXT: Schema = {"type": ["string", "null"], "description": "Give it as `after` for the next page"}

_VERSION = record(
    ("version_no", "identifier", "current", "outcome", "receipt", "stored_at"),
    version_no=_COUNT,
    identifier=_TEXT,
    current=_FLAG,
    outcome={"enum": [outcome.value for outcome in Outcome]},
    cause=_TEXT,
    receipt=_UUID,
    interface=_TEXT,
    interface_revision=_COUNT,
    rule_revision=_COUNT,
    source_order=_TEXT,
    content_sha256=_TEXT,
    stored_at=_MOMENT,
)
_EVENT = record(
    ("seq", "status", "cause", "recorded_at"),
    seq=_COUNT,
    status={"enum": [status.value for status in Status]},
    cause=_TEXT,
    actor=_TEXT,
    receipt=_or_null(_UUID),
    effective_on=_or_null(_DATE),
    recorded_at=_MOMENT,
)
_STEP = record(
    ("step", "outcome", "code", "message"),
    step={"enum": [step.value for step in Step]},
    outcome={"enum": [outcome.value for outcome in StepOutcome]},
    code=_TEXT,
    message=_BOTH_TONGUES,
)
_SIGNATURE = record(
    ("name", "kind"),
    name=_TEXT,
    kind=_TEXT,
    algorithm=_TEXT,
    key_id=_TEXT,
    signer=_TEXT,
    signed_at=_or_null(_MOMENT),
    seal_name=_TEXT,
    seal_version=_or_null(_COUNT),
    notes=_listed(_BOTH_TONGUES),
)

_ANSWERS: Schema = {
    "record": {"type": "object", "description": "A record as the interface's mapping reads it."},
    "Error": record(
        ("pointer", "rule", "detail", "remedy"),
        pointer={"type": "string", "description": "RFC 6901 pointer into the body"},
        header=_TEXT,
        rule=_TEXT,
        value={"type": ["string", "null"]},
        detail=_TEXT,
        remedy=_TEXT,
    ),
    "Problem": record(
        ("type", "title", "status", "code", "request_id", "errors"),
        type={"type": "string", "format": "uri"},
        title=_TEXT,
        status=_COUNT,
        code=_TEXT,
        request_id=_TEXT,
        errors=_ERRORS,
    ),
    "PushAnswer": record(
        ("accepted", "refused", "retry", "records"),
        accepted=_COUNT,
        refused=_COUNT,
        retry=_COUNT,
        records=_listed(record(("index",), index=_COUNT, receipt=_UUID, errors=_ERRORS, retry=_FLAG)),
    ),
    "Receipt": record(
        ("receipt", "outcome"),
        receipt=_UUID,
        interface=_TEXT,
        submission=_UUID,
        position=_COUNT,
        outcome={"enum": [PENDING, *(outcome.value for outcome in Outcome)]},
        licence=_or_null(_UUID),
        version=_or_null(_COUNT),
        rules=_listed(_TEXT),
        errors=_ERRORS,
        cause=_TEXT,
        decided_at=_MOMENT,
    ),
    "QuarantinePage": record(
        ("cases", "next"),
        cases=_listed(
            record(
                ("receipt", "kind", "state", "rules", "errors", "opened_at"),
                receipt=_UUID,
                kind=_TEXT,
                state={"enum": list(CASE_STATES)},
                rules=_listed(_TEXT),
                errors=_ERRORS,
                differs_in=_listed(_TEXT),
                opened_at=_MOMENT,
                decided_at=_or_null(_MOMENT),
                reason=_TEXT,
                resubmission=_or_null(_UUID),
            )
        ),
        next=_NEXT,
    ),
    "LicencePage": record(
        ("licences", "next", "scope"),
        licences=_listed({"$ref": f"{REF}Licence"}),
        next=_NEXT,
        scope={"enum": ["sharing", "management"]},
    ),
    "History": record(
        ("id", "versions", "events"), id=_UUID, versions=_listed(_VERSION), events=_listed(_EVENT)
    ),
    "Link": record(("url", "expires_at", "uses"), url=_TEXT, expires_at=_MOMENT, uses=_COUNT),
    "Report": record(
        ("verdict", "form", "own", "first_failed", "steps", "signatures", "unsigned_members", "content"),
        verdict={"enum": [verdict.value for verdict in Verdict]},
        form=_TEXT,
        own={"type": "boolean", "description": "The file says it was made by a hub"},
        first_failed={"oneOf": [_STEP, {"type": "null"}]},
        steps=_listed(_STEP),
        signatures=_listed(_SIGNATURE),
        unsigned_members=_listed(_TEXT),
        uncovered_bytes=_listed(
            record(("offset", "length", "what"), offset=_COUNT, length=_COUNT, what=_BOTH_TONGUES)
        ),
        content=record(("identifier",), identifier=_TEXT, metadata=_TEXTS, face_items=_TEXTS),
    ),
    "Liveness": record(("status",), status=_TEXT),
    "Readiness": record(
        ("ready", "parts"), ready=_FLAG, parts={"type": "object", "additionalProperties": _FLAG}
    ),
}
