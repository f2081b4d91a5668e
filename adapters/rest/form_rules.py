"""Findings about the form of a multipart push; each names the part."""

from contracts.fault import Rule

MALFORMED = Rule(
    code="form.malformed",
    en="the body is no multipart/form-data that can be read: {why}",
    zh="正文不是可读取的 multipart/form-data：{why_zh}",
    remedy_en="let an HTTP library build body and boundary (curl -F, FormData), and send them unchanged",
    remedy_zh="请由 HTTP 库（curl -F、FormData 等）生成正文与分隔符，并原样发送",
)
UNKNOWN_PART = Rule(
    code="form.unknown-part",
    en="there is no part {name!r}; a form has record and scan, or record and original",
    zh="没有名为 {name!r} 的部分；表单由 record 与 scan，或 record 与 original 组成",
    remedy_en="name the parts record, scan or original",
    remedy_zh="请将各部分命名为 record、scan 或 original",
)
NESTED = Rule(
    code="form.nested",
    en="the part holds a multipart of its own",
    zh="该部分内又嵌套了 multipart",
    remedy_en="send each file as a part of its own",
    remedy_zh="每个文件请单独作为一个部分发送",
)
ENCODED = Rule(
    code="form.encoded-part",
    en="the part has the Content-Transfer-Encoding {encoding!r}, which is not decoded here",
    zh="该部分使用了此处不解码的 Content-Transfer-Encoding：{encoding!r}",
    remedy_en="send the bytes as they are, without Content-Transfer-Encoding",
    remedy_zh="请直接发送原始字节，不要使用 Content-Transfer-Encoding",
)
FILE_NAME = Rule(
    code="form.file-name",
    en="the file name holds a character that no stored text may hold, or is longer than {limit} characters",
    zh="文件名含有不允许存储的字符，或超过 {limit} 个字符",
    remedy_en="name the file in UTF-8 with plain characters",
    remedy_zh="请使用 UTF-8 的普通字符命名文件",
)
RECORD_MISSING = Rule(
    code="form.record-missing",
    en="the form has no part named record",
    zh="表单缺少名为 record 的部分",
    remedy_en="send the record as a JSON object in a part named record",
    remedy_zh="请在名为 record 的部分中以 JSON 对象发送记录",
)
RECORD_TWICE = Rule(
    code="form.record-twice",
    en="the form has more than one part named record",
    zh="表单中名为 record 的部分多于一个",
    remedy_en="send a form for each record",
    remedy_zh="每条记录请单独发送一个表单",
)
NOT_ONE_RECORD = Rule(
    code="form.not-one-record",
    en="the part record must hold exactly one record",
    zh="record 部分必须恰好包含一条记录",
    remedy_en="send one JSON object; records without files may be sent in batches as application/json",
    remedy_zh="请发送一个 JSON 对象；不带文件的记录可用 application/json 成批发送",
)
NO_FILE = Rule(
    code="form.no-file",
    en="the form has neither a scan nor an original",
    zh="表单中既没有 scan 也没有 original",
    remedy_en="add the file, or send the record as application/json",
    remedy_zh="请附上文件，或以 application/json 发送该记录",
)
EMPTY_PART = Rule(
    code="form.empty-part",
    en="the part is empty",
    zh="该部分为空",
    remedy_en="send the file again once it has content",
    remedy_zh="请在文件有内容后重新发送",
)
PART_TOO_LARGE = Rule(
    code="form.part-too-large",
    en="the part is larger than {limit} bytes",
    zh="该部分超过 {limit} 字节",
    remedy_en="scan at a lower resolution, or compress the picture",
    remedy_zh="请降低扫描分辨率，或压缩图像",
)
TOO_MANY_FILES = Rule(
    code="form.too-many-files",
    en="the form has more than {limit} files",
    zh="表单的文件超过 {limit} 个",
    remedy_en="send the pages of one licence only, several pages in one TIFF where there are many",
    remedy_zh="请只发送一份证照的页面；页数较多时可合并为一个 TIFF",
)
ORIGINALS = Rule(
    code="form.originals",
    en="a form has one original and no scans beside it",
    zh="表单只能有一个 original，且不能同时有 scan",
    remedy_en="send either scans or one sealed original",
    remedy_zh="请发送扫描件，或一个已签章的原件",
)

FORM_RULES = (
    MALFORMED,
    UNKNOWN_PART,
    NESTED,
    ENCODED,
    FILE_NAME,
    RECORD_MISSING,
    RECORD_TWICE,
    NOT_ONE_RECORD,
    NO_FILE,
    EMPTY_PART,
    PART_TOO_LARGE,
    TOO_MANY_FILES,
    ORIGINALS,
)
"""Every rule about forms, for documents and tests."""
