"""``python -m bench``: measures, prints, and keeps the results in ``bench/results/``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # the servers of the tests

from bench import imports, results
from bench.hub import HubUnderTest
from bench.intake import Load, Shape
from bench.peer.system import PeerUnderTest
from bench.processes import Processes
from bench.servers import Servers, own_servers

GROUPS = ("production", "peer", "embedded", "import", "large", "volume")
USUAL = GROUPS[:4]


def main(arguments: list[str]) -> int:
    """Runs the groups that were asked for."""
    options = _options(arguments)
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="licence-hub-bench-") as place:
        folder = Path(place)
        if {"production", "peer"} & set(options.groups):
            with own_servers() as servers:
                _on_servers(options, folder, servers)
        if "embedded" in options.groups:
            _hub_rows(options, folder / "embedded", None, "embedded")
        _file_rows(options, folder)
    print(f"kept in {results.TABLE}")
    return 0


def _on_servers(options: argparse.Namespace, folder: Path, servers: Servers) -> None:
    if "production" in options.groups:
        _hub_rows(options, folder / "production", servers, "production")
    if "peer" in options.groups:
        log = folder / "peer.log"
        with closing(PeerUnderTest(servers)) as peer, _telling(log), Processes(log) as processes:
            load = Load(peer, peer.start(processes))
            for shape in _shapes("hmac", options.peer_records, options.peer_records):
                _row(options, "peer", load, shape)


def _hub_rows(options: argparse.Namespace, folder: Path, servers: Servers | None, stack: str) -> None:
    log = folder.with_suffix(".log")
    with closing(HubUnderTest(folder, servers)) as hub, _telling(log), Processes(log) as processes:
        load = Load(hub, hub.start(processes))
        for credential in options.credentials:
            for shape in _shapes(credential, options.singles, options.batched):
                _row(options, stack, load, shape)


@contextmanager
def _telling(log: Path) -> Iterator[None]:
    """Shows the end of the log when something goes wrong: the folder does not outlive the run."""
    try:
        yield
    except Exception:
        print(log.read_text(errors="replace")[-3000:] if log.exists() else "no log")
        raise


def _shapes(credential: str, singles: int, batched: int) -> list[Shape]:
    return [
        Shape("single", 1, 64, singles, credential),
        Shape("batch of 100", 100, 8, batched, credential),
    ]


def _row(options: argparse.Namespace, stack: str, load: Load, shape: Shape) -> None:
    load.warm_up(shape)
    runs = [load.run(shape) for _ in range(options.repeat)]
    _keep(f"{stack}, {shape.label}, {shape.credential}", results.median(runs))


def _file_rows(options: argparse.Namespace, folder: Path) -> None:
    def run(group: str, name: str, work: Callable[[Path], dict[str, Any]], repeat: int = 1) -> None:
        if group in options.groups:
            places = [folder / f"{group}-{number}" for number in range(repeat)]
            for place in places:
                place.mkdir()
            _keep(name, results.median([work(place) for place in places]))

    run(
        "import",
        "embedded, CSV import",
        lambda at: imports.import_csv(at, rows=options.rows),
        options.repeat,
    )
    size = options.large_mb * 1_000_000
    run("large", "embedded, large CSV", lambda at: imports.import_csv(at, size_bytes=size))
    run(
        "volume",
        f"embedded, records/s with 10000 and with {options.volume} stored",
        lambda at: imports.at_volume(at, 10_000, options.volume, 20_000),
    )


def _keep(name: str, row: dict[str, Any]) -> None:
    print(name, row, flush=True)
    results.keep(name, row)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the hub.")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: {USUAL}"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of a row; its median is kept")
    parser.add_argument("--credentials", nargs="+", default=["hmac", "bearer"])
    parser.add_argument("--singles", type=int, default=8000, help="records of a run of single posts")
    parser.add_argument("--batched", type=int, default=20_000, help="records of a run of 100-record posts")
    parser.add_argument("--peer-records", type=int, default=2000, help="records of a run of the peer")
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the CSV import")
    parser.add_argument("--large-mb", type=int, default=1000, help="size of the large CSV")
    parser.add_argument("--volume", type=int, default=1_000_000, help="records stored for the second rate")
    options = parser.parse_args(arguments)
    options.groups = options.groups or list(USUAL)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
