"""Licences and their history as JSON."""

from typing import Any

import msgspec

from adapters.api.calls import Json, moment
from core.store.licences import History, LicenceView

NOT_SHOWN = ("superseded", "updated_ms", "interface")
"""Fields of a ``LicenceView`` that an answer tells in another way, or not at all."""


def licence_json(view: LicenceView) -> Json:
    """A licence as lists and answers show it; ``superseded_by`` names the current identifier when another version is current."""
    built: dict[str, Any] = msgspec.to_builtins(view)
    shown = {name: value for name, value in built.items() if name not in NOT_SHOWN}
    return {
        **shown,
        "superseded": view.superseded,
        "superseded_by": view.current_identifier if view.superseded else None,
        "updated_at": moment(view.updated_ms),
    }


def history_json(history: History) -> Json:
    """Versions and status events in order of arrival."""
    return {
        "id": history.id,
        "versions": [
            {
                "version_no": version.version_no,
                "identifier": version.identifier,
                "current": version.current,
                "outcome": version.outcome.value,
                "cause": version.cause,
                "receipt": version.receipt,
                "interface": version.interface,
                "interface_revision": version.interface_revision,
                "rule_revision": version.rule_revision,
                "source_order": version.source_order,
                "content_sha256": version.content_digest.hex(),
                "stored_at": moment(version.created_ms),
            }
            for version in history.versions
        ],
        "events": [
            {
                "seq": event.seq,
                "status": event.status.value,
                "cause": event.cause,
                "actor": event.actor,
                "receipt": event.receipt,
                "effective_on": event.effective_on,
                "recorded_at": moment(event.created_ms),
            }
            for event in history.events
        ],
    }
