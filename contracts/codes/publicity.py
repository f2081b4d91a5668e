"""双公示: the code tables of administrative-licence publicity data, edition of 2018 and the older one (``OLD_``).

Several systems send the Chinese text, others a code: ``resolve`` of each table takes both.
"""

from contracts.codes import holder
from contracts.codes.table import CodeTable
from contracts.record import Status

RELATIVE_TYPES = CodeTable(
    "publicity-relative-type",
    {"01": "自然人", "02": "法人", "03": "非法人组织", "04": "个体工商户"},
    aliases={"法人及非法人组织": "02"},
)
"""行政相对人类别, XK_XDR_LB."""

SOLE_TRADER = "04"

PERMIT_CATEGORIES = CodeTable(
    "publicity-permit-category",
    {"01": "普通", "02": "特许", "03": "认可", "04": "核准", "05": "登记", "06": "其他"},
)
"""许可类别, XK_XKLB; ``permit_category`` also takes 其他 followed by an explanation."""

OLD_APPROVAL_CATEGORIES = CodeTable(
    "publicity-old-approval-category",
    {"0": "普通", "1": "特许", "2": "认可", "3": "核准", "4": "登记", "5": "其他"},
)
"""审批类别, XK_SPLB of the older edition."""

CERTIFICATE_TYPES = CodeTable(
    "publicity-certificate-type",
    {
        "01": "身份证",
        "02": "护照号",
        "03": "港澳居民来往内地通行证",
        "04": "台湾居民来往大陆通行证",
        "05": "外国人永久居留身份证",
    },
    aliases={"居民身份证": "01", "护照": "02"},
)
"""证件类型, XK_XDR_ZJLX and XK_FR_ZJLX; a text that begins with 其他 is allowed beside them."""

HOLDER_CODE_TYPES: dict[str, str] = {
    "01": holder.CITIZEN_ID,
    "02": "414",
    "03": "516",
    "04": "511",
    "05": holder.OTHER_PERSON,
}
"""Code of ``CERTIFICATE_TYPES`` -> 持证主体代码类型代码."""

STATES = CodeTable("publicity-state", {"1": "有效", "2": "无效"}, aliases={"撤销": "2"})
"""当前状态, XK_ZT of the 2018 edition: 1 means valid."""

OLD_STATES = CodeTable(
    "publicity-old-state", {"0": "正常", "1": "撤销", "2": "异议", "3": "其他"}, aliases={"": "0"}
)
"""当前状态, XK_ZT of the older edition: 1 means withdrawn, the trap between the two."""

STATUS_OF_STATE: dict[str, Status] = {"1": Status.VALID, "2": Status.WITHDRAWN}
"""Code of ``STATES`` -> status."""

STATUS_OF_OLD_STATE: dict[str, Status] = {"0": Status.VALID, "1": Status.WITHDRAWN}
"""Code of ``OLD_STATES`` -> status; 2 (disputed) and 3 (other) name no status and must be decided by a person."""

TEMPLATE_NOTE = "表格说明"
"""A row that contains this text is a note of the spreadsheet template, not a record."""

_OTHER = "其他"


def permit_category(value: str) -> str | None:
    """The code of 许可类别 meant by ``value``, 其他（…） and 其他-… included; None when unknown."""
    return PERMIT_CATEGORIES.resolve(value) or ("06" if value.strip().startswith(_OTHER) else None)


def holder_code_type(certificate_type: str) -> str | None:
    """持证主体代码类型代码 for a 证件类型 given as code or text; None when unknown."""
    code = CERTIFICATE_TYPES.resolve(certificate_type)
    if code is None:
        return holder.OTHER_PERSON if certificate_type.strip().startswith(_OTHER) else None
    return HOLDER_CODE_TYPES[code]
