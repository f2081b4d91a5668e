import logging
from pathlib import Path

import pytest

from gateway_parts import Hub, encoded, permits, record
from pushing import post


def test_a_log_line_names_caller_route_and_status_and_nothing_of_the_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub(tmp_path)
    hub.register(permits())
    with caplog.at_level(logging.DEBUG, "licence_hub.http"):
        assert post(hub, encoded(record(holder="张三丰", note="110101199003070011"))).status_code == 202
        assert post(hub, encoded(record("", holder="张三丰", note="110101199003070011"))).status_code == 422
    hub.close()
    lines = [line for line in caplog.records if line.name == "licence_hub.http"]
    assert [(line.levelname, vars(line)["status"]) for line in lines] == [("DEBUG", 202), ("INFO", 422)]
    assert {(vars(line)["client"], vars(line)["route"]) for line in lines} == {
        ("department", "/v1/interfaces/permits/records")
    }
    assert not any(
        planted in str(vars(line)) for line in lines for planted in ("张三丰", "110101199003070011")
    )


def test_a_defect_is_logged_with_its_request_id_and_answered_without_detail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(tmp_path)
    hub.register(permits())

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("a detail of the inside")

    monkeypatch.setattr(hub.directory, "accepting", broken)
    response = post(hub, encoded(record()), headers={"X-Request-Id": "req-7"})
    hub.close()
    assert (response.status_code, response.json()["code"], response.json()["request_id"]) == (
        500,
        "internal",
        "req-7",
    )
    assert "inside" not in response.text
    failures = [line for line in caplog.records if line.levelname == "ERROR"]
    assert [vars(line)["request_id"] for line in failures] == ["req-7"]
    assert "a detail of the inside" in caplog.text
