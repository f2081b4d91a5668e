"""``archive``: a dropped file back out of the encrypted archive."""

import shutil
from pathlib import Path
from uuid import UUID

import click

from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, with_hub


@click.command(epilog="Example: licence-hub archive 01936b2e-… -o permits.csv")
@click.argument("submission", type=click.UUID)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@as_json
@with_hub
def archive(hub: Hub, submission: UUID, output: Path, json_: bool) -> None:
    """Write the file of SUBMISSION as the department dropped it, archived or refused. Contains personal data. 取出归档文件。"""
    from adapters.filedrop.folder import open_kept
    from adapters.filedrop.kept import kept_file
    from licencehub.ingestion import live_interface

    known = hub.store.submissions.get(submission)
    kept = kept_file(hub.config.data, live_interface(hub, known.interface).declaration, known)
    with open_kept(kept, submission, hub.store.keyring) as stream, output.open("wb") as out:
        shutil.copyfileobj(stream, out, 1024 * 1024)
    value = {
        "submission": str(submission),
        "file": known.origin,
        "size_bytes": known.size_bytes,
        "output": str(output),
    }
    show(value, json_=json_, text=lambda: click.echo(f"{output}: {known.origin}, {known.size_bytes} bytes"))
