"""The example clients, run as a department's programmer would run them: each signs in its own language."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_parts import lines, record
from served_hub import Served

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"
COMMANDS = {
    "curl and openssl": ["sh", "push.sh"],
    "Node.js": ["node", "push.mjs"],
    "Java": ["java", "Push.java"],
    "Python": [sys.executable, "push.py"],
}


def run(served: Served, client: str, secret: Path, file: Path) -> subprocess.CompletedProcess[str]:
    program, script = COMMANDS[client]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command = [program, str(CLIENTS / script), served.url, "department", str(secret), "permits", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_pushes_and_repeating_it_gives_the_same_receipts(
    served: Served, client: str, tmp_path: Path
) -> None:
    secret = served.hub.folder / "secrets" / "client-department.key"
    file = tmp_path / "records.ndjson"
    file.write_bytes(lines([record(f"{client}-1"), record(f"{client}-2", holder="某公司")]))
    first, again = run(served, client, secret, file), run(served, client, secret, file)
    assert (first.returncode, again.returncode) == (0, 0), first.stdout + first.stderr
    assert json.loads(first.stdout)["accepted"] == 2
    assert json.loads(first.stdout)["records"] == json.loads(again.stdout)["records"]


@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_with_a_wrong_secret_is_told_so(served: Served, client: str, tmp_path: Path) -> None:
    secret, file = tmp_path / "secret", tmp_path / "record.json"
    secret.write_text("not the secret of anybody")
    file.write_text(json.dumps(record()))
    refused = run(served, client, secret, file)
    assert refused.returncode != 0
    assert json.loads(refused.stdout)["code"] == "auth.signature"
