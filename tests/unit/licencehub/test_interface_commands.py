"""``interface apply`` on a hub of its own: a slip registers nothing."""

import json
from pathlib import Path

from click.testing import CliRunner

from core.errors import ConfigError
from licencehub.__main__ import cli

FILE = """
[licence_type]
code = "11110000000000001R009"
name = { en = "Permit", zh-CN = "许可证" }
[licence_type.items]
KZ_ZCMM = { label = { en = "Ship", zh-CN = "船名" } }

[interface]
name = "ships"
department = "示范市海洋局"
licence_type = "11110000000000001R009"
[interface.fields]
issuer_code = { constant = "11110000000000001R" }
"items.KZ_ZCMM" = { source = "船名" }
"""


def test_an_interface_that_does_not_fit_its_type_registers_nothing_and_all_its_slips_are_told(
    config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ships.toml"
    file.write_text(FILE.replace('"items.KZ_ZCMM"', '"items.KZ_ZCM"').replace('01R" }', '02R" }'), "utf-8")
    apply = ["-c", str(config), "interface", "apply", "-f", str(file)]
    refused = CliRunner().invoke(cli, apply).exception
    assert isinstance(refused, ConfigError)
    assert [(fault.rule, fault.pointer) for fault in refused.faults] == [
        ("uscc.check-digit", "/interface/ships/fields/issuer_code/constant"),
        ("registration.unknown-item", "/interface/ships/fields/items.KZ_ZCM"),
    ]
    assert "KZ_ZCMM" in refused.summary
    listed = CliRunner().invoke(cli, ["-c", str(config), "interface", "list", "--json"])
    assert json.loads(listed.stdout) == []
    file.write_text(FILE, "utf-8")
    assert CliRunner().invoke(cli, apply).exit_code == 0
