"""持证主体代码类型: what kind of code identifies a holder (GB/T 36903 annex A)."""

from contracts.codes.table import CodeTable

USCC = "001"
OTHER_ORGANISATION = "099"
CITIZEN_ID = "111"
OTHER_PERSON = "999"

CODE_TYPES = CodeTable(
    "holder-code-type",
    {
        "001": "统一社会信用代码",
        "099": "其他法人或其他组织有效证件代码",
        "111": "公民身份号码",
        "114": "中国人民解放军军官证编号",
        "115": "武警警官证编号",
        "118": "解放军士兵证编号",
        "119": "武警士兵证编号",
        "120": "解放军文职人员证编号",
        "122": "武警文职人员证编号",
        "411": "外交护照号",
        "412": "公务护照号",
        "413": "公务普通护照号",
        "414": "普通护照号",
        "511": "台湾居民来往大陆通行证号码",
        "516": "港澳居民来往内地通行证号码",
        "999": "其他自然人有效证件代码",
    },
    aliases={
        "居民身份证": "111",
        "居民身份证号码": "111",
        "身份证": "111",
        "身份证号": "111",
        "身份证号码": "111",
        "公民身份证号码": "111",
        "社会信用代码": "001",
        "护照": "414",
        "护照号": "414",
        "台湾居民来往大陆通行证": "511",
        "港澳居民来往内地通行证": "516",
    },
)

ORGANISATION_CODES = frozenset({USCC, OTHER_ORGANISATION})
NATURAL_PERSON_CODES = frozenset(CODE_TYPES) - ORGANISATION_CODES

GUANGDONG_TYPES = CodeTable(
    "guangdong-holder-type",
    {
        "10": "居民身份证",
        "40": "其他个人证件",
        "50": "组织机构代码",
        "70": "统一社会信用代码",
        "80": "工商注册号",
    },
    aliases={"工商登记号": "80"},
)
"""CYRSFZJLX as the Guangdong and Beijing libraries send it."""

FROM_GUANGDONG: dict[str, str] = {
    "10": CITIZEN_ID,
    "40": OTHER_PERSON,
    "50": OTHER_ORGANISATION,
    "70": USCC,
    "80": OTHER_ORGANISATION,
}
"""Guangdong holder type -> code of ``CODE_TYPES``."""


def is_natural_person(code_type: str) -> bool:
    """Whether a holder with this code type is a natural person, so that name and code are personal data."""
    return code_type in NATURAL_PERSON_CODES
