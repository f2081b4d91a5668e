import time
from threading import Event

import pytest

from licencehub.supervision import PARENT, run_processes


def test_a_supervisor_whose_own_supervisor_is_gone_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARENT, "999999999")
    began = time.monotonic()
    run_processes([], Event())
    assert time.monotonic() - began < 5
