"""Some roles of a hub in one process: ``python -m bench.hub_process CONFIG SLOT ROLE...`` (the packager can be left out)."""

import sys
from pathlib import Path

from core.config import load_config
from licencehub.app import Hub
from licencehub.logs import configure_logging
from licencehub.roles import parts
from licencehub.supervision import run_threads, stop_on_signals


def main(arguments: list[str]) -> None:
    """Runs until it is told to stop."""
    path, slot, *roles = arguments
    stop = stop_on_signals()
    config = load_config(Path(path))
    configure_logging(config.log)
    with Hub(config, slot) as hub:
        run_threads(parts(hub, roles), stop)


if __name__ == "__main__":
    main(sys.argv[1:])
