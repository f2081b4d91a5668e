"""The files of the repository, as its checks see them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "core", "router", "adapters", "scheduler", "monitoring", "licencehub")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file under version control, relative to the root; in a tree without it, every file of the folders we know."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        folders = (*PACKAGES, "tests", "docs", "examples", "bench", "deploy")
        names = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.*")]
    return tuple(
        sorted(path for path in names if (ROOT / path).is_file() and "__pycache__" not in path.parts)
    )


def tracked_modules(*folders: str) -> tuple[Path, ...]:
    """The Python modules among them that lie below one of the folders."""
    return tuple(path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in folders)


def text_of(path: Path) -> str:
    """The file as text; empty when it holds none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""
