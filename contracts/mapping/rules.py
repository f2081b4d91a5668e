"""Findings of the translator about one record, each with its place in what the sender sent."""

from contracts.fault import Disposition, Rule

REQUIRED = Rule(
    code="mapping.required",
    en="this field must not be empty",
    zh="该字段不能为空",
    remedy_en="fill the field and send the record again",
    remedy_zh="请填写该字段后重新报送",
)
WRONG_TYPE = Rule(
    code="mapping.wrong-type",
    en="a single value is expected here, not {found}",
    zh="此处应为单个值，而不是{found_zh}",
    remedy_en="send the value as a text or a number",
    remedy_zh="请以文本或数字报送该值",
)
FORBIDDEN_CHARACTER = Rule(
    code="mapping.forbidden-character",
    en="the text holds {character}, which no stored text may hold",
    zh="文本中含有不允许存储的字符{character}",
    remedy_en="remove the character at the source",
    remedy_zh="请在源系统中去除该字符",
)
TOO_LONG = Rule(
    code="mapping.too-long",
    en="the text has {length} characters; at most {limit} are taken",
    zh="文本长度为{length}个字符，最多允许{limit}个",
    remedy_en="shorten the text, or attach it as a file",
    remedy_zh="请缩短文本，或以附件报送",
)
UNKNOWN_CODE = Rule(
    code="mapping.unknown-code",
    en="this value is not in the code table of the interface (known: {known})",
    zh="该值不在接口的代码表中（已知：{known}）",
    remedy_en="correct the value, or add it to the code table of the interface",
    remedy_zh="请更正该值，或在接口代码表中增加该值",
    disposition=Disposition.QUARANTINE,
)
NOT_A_NUMBER = Rule(
    code="mapping.not-a-number",
    en="a number is expected here",
    zh="此处应为数字",
    remedy_en="write the number with digits, a point, a leading sign or thousands commas: -1,234.5",
    remedy_zh="请只使用数字、小数点、前置正负号和千位分隔逗号书写，如 -1,234.5",
)
NOT_A_FLAG = Rule(
    code="mapping.not-a-flag",
    en="yes or no is expected here",
    zh="此处应为“是”或“否”",
    remedy_en="write true, false, 1, 0, Y, N, 是 or 否",
    remedy_zh="请填写 true、false、1、0、Y、N、是 或 否",
)
NOT_A_TIME = Rule(
    code="mapping.not-a-time",
    en="this is not a date with a time of day that exists",
    zh="该值不是存在的日期时间",
    remedy_en="write it as YYYY-MM-DD HH:MM:SS, or declare its date format in the interface",
    remedy_zh="请按 YYYY-MM-DD HH:MM:SS 书写，或在接口声明中增加其日期格式",
)
LONG_TERM_HERE = Rule(
    code="mapping.long-term-not-here",
    en="only the end of the validity can be long-term",
    zh="只有有效期截止日期可以为长期",
    remedy_en="write the day",
    remedy_zh="请填写具体日期",
)
HOLDERS_DIFFER = Rule(
    code="mapping.holders-differ",
    en="the lists of holders differ in length: {lengths}",
    zh="持证主体各列表的数量不一致：{lengths}",
    remedy_en="give every holder a name and a code, in the same order",
    remedy_zh="请按相同顺序为每个持证主体填写名称和代码",
)
GROUP_KEY_EMPTY = Rule(
    code="group.key-empty",
    en="the row names no licence: {fields} is empty",
    zh="该行未指明所属证照：{fields}为空",
    remedy_en="fill the field that rows of one licence share",
    remedy_zh="请填写同一证照各行共有的字段",
)
RESERVED_FIELD = Rule(
    code="mapping.reserved-field",
    en="the name {name} is reserved for the files that come with a record",
    zh="字段名{name}保留给随记录报送的文件",
    remedy_en="leave the field out; send files as parts of a multipart/form-data push",
    remedy_zh="请去掉该字段；文件请以multipart/form-data的部分报送",
)
ROWS_DISAGREE = Rule(
    code="group.rows-disagree",
    en="rows of one licence state different values of {field}",
    zh="同一证照的各行在“{field}”上的内容不一致",
    remedy_en="decide which row is right and send all rows of the licence again",
    remedy_zh="请确认正确的一行，并重新报送该证照的所有行",
    disposition=Disposition.QUARANTINE,
)

MAPPING_RULES = (
    REQUIRED,
    WRONG_TYPE,
    FORBIDDEN_CHARACTER,
    TOO_LONG,
    UNKNOWN_CODE,
    NOT_A_NUMBER,
    NOT_A_FLAG,
    NOT_A_TIME,
    LONG_TERM_HERE,
    HOLDERS_DIFFER,
    GROUP_KEY_EMPTY,
    RESERVED_FIELD,
    ROWS_DISAGREE,
)
"""Every rule of the translator, for documents and tests; dates have theirs in ``contracts.dates``."""
