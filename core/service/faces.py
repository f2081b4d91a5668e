"""The picture of a licence's face, drawn anew from its sealed version, for people who look (目视)."""

from datetime import UTC, datetime
from uuid import UUID

from contracts.record import LicenceRecord
from core.errors import NotFound
from core.packaging.raster import render_face, render_scan
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import is_scanned
from core.service.dressing import Dressing
from core.store import Store

FACE_DPI = 150


class FacePictures:
    """Draws faces of packaged versions."""

    def __init__(self, store: Store, dressing: Dressing, library_name: str) -> None:
        self._store = store
        self._dressing = dressing
        self._library_name = library_name

    def picture(self, licence_id: UUID, version_no: int) -> bytes:
        """PNG of the face as it was packaged, of scanned pages the first.

        Raises ``NotFound`` for a version that has no package, and for another library's original, which the hub does not draw.
        """
        row = self._store.packages.get(licence_id, version_no)
        if row is None or row.state != "packaged":
            raise NotFound(
                f"version {version_no} of {licence_id} has no package",
                f"{licence_id} 版本 {version_no} 尚未封装",
            )
        if row.original:
            raise NotFound("another library's original is not drawn here", "原件不在此绘制")
        view = self._store.licences.get(licence_id)
        record = self._store.licences.record(licence_id, version_no)
        request = PackageRequest(
            record=record,
            identifier=view.identifier,
            file_number=row.file_number,
            version_no=version_no,
            licence_id=licence_id,
            library_name=self._library_name,
            source=view.interface,
            made_at=datetime.fromtimestamp(row.created_ms // 1000, UTC),
            item_names=self._dressing.item_names(record.licence_type),
            code_tables=self._dressing.code_tables(record.licence_type),
            scans=self._scans(record),
        )
        style = self._dressing.style(record.licence_type)
        seal_picture = self._dressing.seal_picture(record.licence_type, record.issuer_code)
        render = render_scan if request.scans else render_face
        drawn = render(request, style, FACE_DPI, seal_picture)
        if isinstance(drawn, Waiting):
            raise NotFound("the face cannot be drawn", "无法绘制照面")
        return drawn

    def _scans(self, record: LicenceRecord) -> tuple[bytes, ...]:
        scans = record.scans if is_scanned(record) else ()
        return tuple(self._store.blobs.get(bytes.fromhex(scan.digest)) for scan in scans)
