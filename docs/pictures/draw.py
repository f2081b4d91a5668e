"""Draws the pictures of this folder: ``PYTHONPATH=.:tests python docs/pictures/draw.py``."""

import io
from pathlib import Path

from PIL import Image

from core.packaging.face import Face, compose_face
from core.packaging.raster import render_face, render_preview, thumbnail
from core.packaging.style_loader import shipped_style
from packaging_material import RECORDS, request_for, seal

DPI = 96
COLOURS = 255
NAMES = {"KZ_XKLB": "许可类别", "KZ_FZLX": "发证类型"}


def main() -> None:
    """One picture of a licence per style, the style with its longest texts, and the thumbnail."""
    here = Path(__file__).parent
    for name, record in RECORDS.items():
        style = shipped_style(name)
        request = request_for(record(), item_names=NAMES)
        face, picture = compose_face(request, style), render_face(request, style, DPI, seal().picture)
        if not isinstance(face, Face) or not isinstance(picture, bytes):
            raise TypeError(face)
        save(picture, here / f"{name}.png")
        save(render_preview(style, DPI, seal().picture), here / f"{name}-longest.png")
        (here / f"{name}-thumbnail.jpg").write_bytes(thumbnail(face, style, seal().picture))
        print(name)


def save(picture: bytes, target: Path) -> None:
    """The picture with few colours: a fifth of the size, and nobody sees it."""
    with Image.open(io.BytesIO(picture)) as image:
        image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE).save(
            target, optimize=True
        )


if __name__ == "__main__":
    main()
