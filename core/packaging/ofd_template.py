"""Static members in final bytes, with their digests and running digests worked out beforehand."""

import hashlib
from base64 import b64encode

from core.gm.sm3 import Digest
from core.packaging.container import DEFLATED, STORED, central_entries, closed_directory, member
from core.packaging.ofd_static import static_members
from core.packaging.stored import template_of
from core.packaging.style import Style
from core.sealing.seal import Seal

_ALREADY_PACKED = (".jpg", ".jpeg", ".png", ".esl", ".tif")


class SigningTemplate:
    """A template while packages are made with it: references written, digests of the prefix running."""

    def __init__(self, contents: dict[str, bytes], seal: Seal) -> None:
        members = b"".join(
            member(name, data, method=STORED if name.endswith(_ALREADY_PACKED) else DEFLATED)
            for name, data in contents.items()
        )
        self.template = template_of(members)
        self.references = "".join(reference(name, seal.suite.digest(data)) for name, data in contents.items())
        self._entries = central_entries(members)
        self._whole = hashlib.sha256(members)
        self._container = seal.suite.new_digest(members)

    def directory(self, own: bytes) -> bytes:
        """Central directory and end record of the file that ``own`` completes."""
        size = len(self.template.members)
        return closed_directory(self._entries + central_entries(own, size), size + len(own))

    def file_digest(self, tail: bytes) -> bytes:
        """SHA-256 of the file that ``tail`` completes."""
        running = self._whole.copy()
        running.update(tail)
        return running.digest()

    def container_digest(self, tail: bytes) -> bytes:
        """The seal's digest over the template and ``tail``."""
        running: Digest = self._container.copy()
        running.update(tail)
        return running.digest()


def reference(name: str, digest: bytes) -> str:
    """One Reference of Signature.xml."""
    check = b64encode(digest).decode()
    return f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>{check}</ofd:CheckValue></ofd:Reference>'


_TEMPLATES: dict[tuple[str, bytes, str], SigningTemplate] = {}


def signing_template(style: Style, seal: Seal) -> SigningTemplate:
    """The signing template of a style and a seal, built once per process."""
    key = (style.digest, seal.der, seal.suite.digest_name)
    if key not in _TEMPLATES:
        _TEMPLATES[key] = SigningTemplate(static_members(style, seal), seal)
    return _TEMPLATES[key]
