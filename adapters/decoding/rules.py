"""Findings about the form of the input: a row's, which leave its neighbours alone, and a document's, which refuse it."""

from contracts.fault import Disposition, Rule

UNDECODABLE = Rule(
    code="decoding.undecodable-bytes",
    en="the bytes at offset {offset} are not {encoding}",
    zh="偏移{offset}处的字节不是有效的{encoding}编码",
    remedy_en="export the data again in the declared encoding, or correct the record here",
    remedy_zh="请按声明的编码重新导出，或在此处更正该记录",
    disposition=Disposition.QUARANTINE,
)
RAGGED = Rule(
    code="csv.ragged-row",
    en="line {line} has {found} fields, the header has {expected}",
    zh="第{line}行有{found}个字段，表头有{expected}个",
    remedy_en="quote fields that hold the separator, and leave no field out",
    remedy_zh="请为含分隔符的字段加引号，且不要遗漏字段",
    disposition=Disposition.QUARANTINE,
)
BAD_QUOTES = Rule(
    code="csv.bad-quotes",
    en="line {line}: a quoted field is not closed, or text follows its closing quote",
    zh="第{line}行：引号未闭合，或闭合引号后还有文本",
    remedy_en="close the quote; double quotes inside a quoted field",
    remedy_zh="请闭合引号；引号字段内的引号须写两次",
    disposition=Disposition.QUARANTINE,
)
ROW_TOO_LONG = Rule(
    code="csv.row-too-long",
    en="line {line} is longer than {limit} characters",
    zh="第{line}行超过{limit}个字符",
    remedy_en="check for a missing line break or quote",
    remedy_zh="请检查是否缺少换行或引号",
    disposition=Disposition.QUARANTINE,
)
NUL = Rule(
    code="csv.nul",
    en="line {line} holds NUL characters: this is not text",
    zh="第{line}行含有NUL字符，不是文本",
    remedy_en="export the data again as text",
    remedy_zh="请重新导出为文本文件",
    disposition=Disposition.QUARANTINE,
)
HEADER_MISSING = Rule(
    code="header.missing-columns",
    en="columns missing from the header: {columns}",
    zh="表头缺少列：{columns}",
    remedy_en="export the columns the interface declares, or send the new layout as a new interface revision",
    remedy_zh="请按接口声明的列导出；如版式已变更，请更新接口声明",
)
HEADER_EXTRA = Rule(
    code="header.extra-columns",
    en="columns the interface does not know: {columns}",
    zh="接口未声明的列：{columns}",
    remedy_en="leave the columns out, or send the new layout as a new interface revision",
    remedy_zh="请去除这些列；如版式已变更，请更新接口声明",
)
HEADER_MOVED = Rule(
    code="header.moved-columns",
    en="columns in another place than declared: {columns}",
    zh="列的位置与声明不一致：{columns}",
    remedy_en="put the columns in the declared order",
    remedy_zh="请按声明的顺序排列各列",
)
HEADER_TWICE = Rule(
    code="header.duplicate-columns",
    en="columns that occur twice: {columns}",
    zh="重复的列：{columns}",
    remedy_en="give every column a name of its own",
    remedy_zh="请保证每列的名称唯一",
)
HEADER_ABSENT = Rule(
    code="header.absent",
    en="there is no row {row}, where the column names are expected",
    zh="未找到第{row}行的列名",
    remedy_en="send the file with its header row",
    remedy_zh="请报送带表头的文件",
)
JSON_SYNTAX = Rule(
    code="json.syntax",
    en="this is not JSON: {reason} at character {offset}",
    zh="不是有效的JSON：第{offset}个字符处出错（{reason}）",
    remedy_en="send JSON as RFC 8259 describes it",
    remedy_zh="请按RFC 8259发送JSON",
)
JSON_DUPLICATE = Rule(
    code="json.duplicate-key",
    en="the key occurs twice in one object, so its value is ambiguous",
    zh="同一对象中键重复，取值不明确",
    remedy_en="send each key once",
    remedy_zh="每个键只发送一次",
)
JSON_NUMBER = Rule(
    code="json.number-out-of-range",
    en="the number cannot be held exactly (NaN, infinite, or an integer beyond 64 bits)",
    zh="该数字无法精确存储（NaN、无穷大或超过64位的整数）",
    remedy_en="send long numbers as texts",
    remedy_zh="过长的数字请以文本发送",
)
JSON_DEPTH = Rule(
    code="json.too-deep",
    en="the document nests deeper than {limit} levels",
    zh="嵌套层数超过{limit}层",
    remedy_en="send the record flat",
    remedy_zh="请以扁平结构发送记录",
)
JSON_SURROGATE = Rule(
    code="json.lone-surrogate",
    en="a text holds half of a surrogate pair, which is no character",
    zh="文本中含有不成对的代理字符",
    remedy_en="escape characters beyond U+FFFF as a pair, or send them as UTF-8",
    remedy_zh="U+FFFF以外的字符请成对转义，或直接以UTF-8发送",
)
JSON_NOT_OBJECT = Rule(
    code="json.not-an-object",
    en="a record must be a JSON object",
    zh="每条记录必须是JSON对象",
    remedy_en="send each record as an object of named fields",
    remedy_zh="请将每条记录作为对象发送",
)
RECORD_TOO_LARGE = Rule(
    code="decoding.record-too-large",
    en="the record is larger than {limit} bytes",
    zh="记录超过{limit}字节",
    remedy_en="send pictures and documents as attachments, not inside the record",
    remedy_zh="图片和文档请以附件发送",
)
JSON_TRUNCATED = Rule(
    code="json.truncated",
    en="the document ends at byte {offset} before it is complete",
    zh="文档在第{offset}字节处提前结束",
    remedy_en="send the whole document again",
    remedy_zh="请重新发送完整文档",
)
JSON_NO_RECORDS = Rule(
    code="json.no-records",
    en="there is no array of records at {place}",
    zh="在{place}处没有记录数组",
    remedy_en="send the records where the interface declares them",
    remedy_zh="请在接口声明的位置发送记录数组",
)
WORKBOOK_UNREADABLE = Rule(
    code="workbook.unreadable",
    en="this is no workbook that can be read: {reason}",
    zh="无法读取该工作簿：{reason}",
    remedy_en="save the workbook again as .xlsx without a password",
    remedy_zh="请另存为不加密的.xlsx文件",
)
WORKBOOK_BOMB = Rule(
    code="workbook.too-large-inside",
    en="the workbook unpacks beyond its limits: {reason}",
    zh="工作簿解压后超出限制：{reason}",
    remedy_en="split the workbook, or send it as CSV",
    remedy_zh="请拆分工作簿，或改用CSV报送",
)
WORKBOOK_SHEET = Rule(
    code="workbook.no-sheet",
    en="there is no worksheet {sheet}; there are: {sheets}",
    zh="没有工作表{sheet}；现有：{sheets}",
    remedy_en="name the sheet as the interface declares",
    remedy_zh="请按接口声明命名工作表",
)
CELL_ERROR = Rule(
    code="workbook.cell-error",
    en="the cell holds the spreadsheet error {error}",
    zh="单元格为错误值{error}",
    remedy_en="correct the formula at the source",
    remedy_zh="请在源文件中更正公式",
    disposition=Disposition.QUARANTINE,
)
EMPTY_FILE = Rule(
    code="decoding.empty-file",
    en="the file is empty",
    zh="文件为空",
    remedy_en="send the file again once it has content",
    remedy_zh="请在文件有内容后重新报送",
)

DECODING_RULES = (
    UNDECODABLE,
    RAGGED,
    BAD_QUOTES,
    ROW_TOO_LONG,
    NUL,
    HEADER_MISSING,
    HEADER_EXTRA,
    HEADER_MOVED,
    HEADER_TWICE,
    HEADER_ABSENT,
    JSON_SYNTAX,
    JSON_DUPLICATE,
    JSON_NUMBER,
    JSON_DEPTH,
    JSON_SURROGATE,
    JSON_NOT_OBJECT,
    RECORD_TOO_LARGE,
    JSON_TRUNCATED,
    JSON_NO_RECORDS,
    WORKBOOK_UNREADABLE,
    WORKBOOK_BOMB,
    WORKBOOK_SHEET,
    CELL_ERROR,
    EMPTY_FILE,
)
"""Every rule of the decoders, for documents and tests."""
