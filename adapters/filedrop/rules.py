"""Findings about a dropped file as a whole."""

from contracts.fault import Rule

DUPLICATE = Rule(
    code="drop.duplicate",
    en="this very content was taken in before, as {origin}",
    zh="相同内容此前已接收（文件{origin}）",
    remedy_en="nothing to do; send a file again only when its content has changed",
    remedy_zh="无需处理；内容变更后再重新报送",
)
MANIFEST_MISMATCH = Rule(
    code="drop.manifest-mismatch",
    en="the content is not what the manifest states",
    zh="文件内容与清单不符",
    remedy_en="write the file and its manifest again",
    remedy_zh="请重新写入文件及其清单",
)
MANIFEST_BROKEN = Rule(
    code="drop.manifest-broken",
    en="this is no manifest: {reason}",
    zh="清单无效：{reason}",
    remedy_en="write a JSON list of objects with name, size_bytes and sha256",
    remedy_zh="请写成由 name、size_bytes、sha256 组成的JSON列表",
)
TOO_LARGE = Rule(
    code="drop.file-too-large",
    en="the file has {size} bytes; at most {limit} are taken",
    zh="文件为{size}字节，最多接收{limit}字节",
    remedy_en="split the file",
    remedy_zh="请拆分文件",
)

DROP_RULES = (DUPLICATE, MANIFEST_MISMATCH, MANIFEST_BROKEN, TOO_LARGE)
"""Every rule of the file drop, for documents and tests."""
