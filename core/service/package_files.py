"""Package files out of their stored (thin) form, and pictures of faces."""

from uuid import UUID

from core.errors import InternalError, NotFound
from core.packaging.stored import StoredPackage, Template, assemble
from core.store import Store

_ID_HEX = 32
"""Hex digits of a template id: the beginning of its SHA-256."""


class PackageFiles:
    """Assembles what was sealed; templates are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._templates: dict[str, Template] = {}

    def file(self, licence_id: UUID, version_no: int, form: str = "") -> bytes:
        """The sealed file, its digest checked; without ``form`` the OFD, or the only form there is.

        Raises ``NotFound`` when the version has no such package.
        """
        row = self._store.packages.get(licence_id, version_no, form)
        if (
            row is None
            or row.state != "packaged"
            or row.blob is None
            or row.digest is None
            or row.size_bytes is None
        ):
            raise NotFound(
                f"version {version_no} of {licence_id} has no package",
                f"{licence_id} 版本 {version_no} 尚无封装文件",
            )
        stored = StoredPackage(
            template_id=row.template[:_ID_HEX],
            members=self._store.blobs.get(row.blob),
            digest=row.digest,
            size_bytes=row.size_bytes,
        )
        return assemble(stored, self._template(row.template))

    def _template(self, digest: str) -> Template | None:
        if not digest:
            return None
        if digest not in self._templates:
            members = self._store.blobs.get(bytes.fromhex(digest))
            self._templates[digest] = Template(template_id=digest[:_ID_HEX], members=members)
        template = self._templates[digest]
        if template.template_id != digest[:_ID_HEX]:
            raise InternalError(f"template {digest} is filed under another name")
        return template
