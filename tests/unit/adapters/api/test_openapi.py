from typing import Any

import msgspec

from adapters.api.openapi import openapi, record_schema
from contracts.interface import Interface
from contracts.mapping import compile_interface
from core.interfaces import LiveInterface
from gateway_parts import permits


def live(state: str = "enabled", **changes: Any) -> LiveInterface:
    declaration = msgspec.convert(permits(**changes), Interface)
    return LiveInterface(declaration, state, 1, compile_interface(declaration))


def test_nested_fields_lie_in_their_objects() -> None:
    fields = {
        "licence_number": {"source": "paper.number", "required": True},
        "identifier": {"source": "/paper/id"},
        "holder.name": {"source": ["holder.name", "owner"]},
        "licence_name": {"source": "paper.number"},
    }
    schema = record_schema(live(fields=fields))
    assert schema["properties"] == {
        "paper": {
            "type": "object",
            "properties": {
                "number": {"description": "Becomes licence_number, licence_name"},
                "id": {"description": "Becomes identifier"},
            },
        },
        "holder": {"type": "object", "properties": {"name": {"description": "Becomes holder.name"}}},
        "owner": {"description": "Becomes holder.name"},
    }
    assert schema["required"] == []


def test_only_what_can_be_pushed_now_is_described() -> None:
    interfaces = [
        live(),
        live("paused", name="paused"),
        live(name="dropped", protocol="file", drop={"folder": "in"}),
    ]
    paths = openapi(interfaces)["paths"]
    assert [path for path in paths if path.endswith("/records")] == [
        "/v1/interfaces/permits/records",
        "/v1/interfaces/{interface}/records",
    ]


def test_every_operation_has_a_summary_and_its_problems() -> None:
    document: Any = openapi([])
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert all(operation["summary"] for operation in operations)
    assert all("401" in operation["responses"] for operation in operations)
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
