from pathlib import Path

from gateway_parts import Hub, encoded, permits, record
from pushing import post


def test_a_declared_encoding_holds_for_a_single_record_too(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    hub.register(permits(source={"format": "json", "encoding": "gb18030"}))
    content = encoded(record(holder="某某公司")).decode().encode("gb18030")
    assert post(hub, content).status_code == 202
    [chunk] = hub.published()
    record_read = chunk.entries[0].record
    assert record_read is not None
    assert record_read.holders[0].name == "某某公司"
    hub.close()


def test_a_byte_order_mark_and_blanks_before_a_record_are_no_part_of_it(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    hub.register(permits())
    for before in (b"\xef\xbb\xbf", b" \r\n\t"):
        assert post(hub, before + encoded(record())).status_code == 202
    hub.close()
