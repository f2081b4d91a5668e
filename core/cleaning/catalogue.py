"""Every rule that cleaning can report, by code; a licence type may change what a finding leads to."""

from contracts.checks import citizen_id, registration_number, uscc
from contracts.codes import division
from contracts.fault import Disposition, Rule
from contracts.identifier import RULES as IDENTIFIER_RULES

FORBIDDEN_CHARACTER = Rule(
    code="text.forbidden-character",
    en="the text holds a character that no stored text may hold (control, lone surrogate or direction mark)",
    zh="文本含有不允许的字符（控制字符、孤立代理项或方向标记）",
    remedy_en="remove the character at its source and send the record again",
    remedy_zh="请在来源处去掉该字符后重新报送",
)
TOO_LONG = Rule(
    code="text.too-long",
    en="{label_en} has {length} characters, at most {limit} are allowed",
    zh="{label_zh}长{length}个字符，最多允许{limit}个",
    remedy_en="shorten the text or look for a column that was shifted",
    remedy_zh="请缩短文本，或检查列是否错位",
)
SPECIAL_CHARACTER = Rule(
    code="name.special-character",
    en="{label_en} holds the character {character}, which no name has",
    zh="{label_zh}含有名称中不应出现的字符{character}",
    remedy_en="compare the name with the licence; such characters often come from a wrong character set",
    remedy_zh="请与证照核对名称；此类字符常因字符集错误产生",
    disposition=Disposition.QUARANTINE,
)
MISSING = Rule(
    code="required.missing",
    en="{label_en} is required and missing",
    zh="缺少必填项：{label_zh}",
    remedy_en="send the record with {label_en} filled in",
    remedy_zh="请补填{label_zh}后重新报送",
)
TYPE_MISMATCH = Rule(
    code="type.mismatch",
    en="the record states another licence type than {expected}",
    zh="记录的证照类型与{expected}不符",
    remedy_en="send the record through the interface of its own licence type",
    remedy_zh="请通过对应证照类型的接口报送",
)
NUMBER_PATTERN = Rule(
    code="licence-number.pattern",
    en="the licence number is not written as numbers of this type are: {pattern}",
    zh="证照编号不符合该类型的编号规则：{pattern}",
    remedy_en="compare the number with the licence",
    remedy_zh="请与证照核对编号",
    disposition=Disposition.QUARANTINE,
)
CODE_TYPE_MISSING = Rule(
    code="holder.code-type-missing",
    en="the holder has a code, but its type is missing",
    zh="持证主体有代码但缺少代码类型",
    remedy_en="say what kind of code it is: 001 for a unified social credit code, 111 for a citizen identity number",
    remedy_zh="请注明代码类型：统一社会信用代码为001，公民身份号码为111",
)
CODE_TYPE_UNKNOWN = Rule(
    code="holder.code-type-unknown",
    en="this holder code type is not in annex A of GB/T 36903",
    zh="持证主体代码类型不在GB/T 36903附录A中",
    remedy_en="use a three-digit code of the table",
    remedy_zh="请使用代码表中的3位代码",
)
CODE_TYPE_NOT_ALLOWED = Rule(
    code="holder.code-type-not-allowed",
    en="licences of this type are not issued to holders with this kind of code (allowed: {allowed})",
    zh="该类型证照的持证主体不能使用此类代码（允许：{allowed}）",
    remedy_en="send the holder's code of an allowed kind",
    remedy_zh="请提供允许类型的主体代码",
)
REGISTRATION_NUMBER_MISSING = Rule(
    code="holder.registration-number-missing",
    en="the holder has the placeholder instead of a code, so its business registration number is required",
    zh="持证主体使用占位代码时必须提供工商注册号",
    remedy_en="fill in the business registration number, or the holder's own unified social credit code",
    remedy_zh="请填写工商注册号，或提供主体自身的统一社会信用代码",
)
ISSUER_NOT_ENTITLED = Rule(
    code="issuer.not-entitled",
    en="this authority is not declared to issue licences of this type",
    zh="该机构未登记为此类证照的颁发机构",
    remedy_en="compare the issuer with the licence, or add it to the issuers of the type",
    remedy_zh="请核对颁发机构，或在证照类型中登记该机构",
    disposition=Disposition.QUARANTINE,
)
ISSUER_REGION = Rule(
    code="issuer.region",
    en="this authority does not issue licences of this type for region {region}",
    zh="该机构无权在{region}颁发此类证照",
    remedy_en="compare region and issuer with the licence, or add the region to the issuer",
    remedy_zh="请核对区划与颁发机构，或在证照类型中登记该区划",
    disposition=Disposition.QUARANTINE,
)
ISSUED_IN_FUTURE = Rule(
    code="issued-on.future",
    en="the date of issue lies after today ({today})",
    zh="颁发日期晚于当前日期（{today}）",
    remedy_en="compare the date with the licence",
    remedy_zh="请与证照核对颁发日期",
)
VALIDITY_ORDER = Rule(
    code="validity.order",
    en="the validity ends before it begins ({valid_from})",
    zh="有效期截止日期早于起始日期（{valid_from}）",
    remedy_en="compare both dates with the licence; the columns from and to are easily swapped",
    remedy_zh="请与证照核对起止日期，注意两列是否颠倒",
)
VALIDITY_MISSING = Rule(
    code="validity.missing",
    en="licences of this type state how long they are valid; the date is missing",
    zh="该类型证照必须采集有效期，记录中缺少",
    remedy_en="send the last day of validity, or 长期 (2099/12/31) for no end",
    remedy_zh="请填写有效期截止日期，长期有效请填“长期”（或2099/12/31）",
)
VALIDITY_UNEXPECTED = Rule(
    code="validity.unexpected",
    en="licences of this type state no validity, yet the record has one",
    zh="该类型证照不载明有效期，但记录中有有效期",
    remedy_en="check which column the date comes from",
    remedy_zh="请检查该日期来自哪一列",
    disposition=Disposition.WARN,
)
VALIDITY_CONTRADICTION = Rule(
    code="validity.contradiction",
    en="the record is valid without end and yet has a last day of validity",
    zh="记录既标为长期有效，又有截止日期",
    remedy_en="decide for one of them by the licence",
    remedy_zh="请依据证照只保留其一",
    disposition=Disposition.QUARANTINE,
)
IDENTIFIER_TYPE = Rule(
    code="identifier.type-mismatch",
    en="the identifier belongs to another licence type than the record",
    zh="电子证照标识中的类型代码与记录不符",
    remedy_en="compare the identifier with the licence file",
    remedy_zh="请与证照文件核对标识",
    disposition=Disposition.QUARANTINE,
)
IDENTIFIER_ISSUER = Rule(
    code="identifier.issuer-mismatch",
    en="the identifier names another issuer than the record",
    zh="电子证照标识中的颁发机构代码与记录不符",
    remedy_en="compare identifier and issuer with the licence file",
    remedy_zh="请与证照文件核对标识和颁发机构",
    disposition=Disposition.QUARANTINE,
)
ITEM_UNDECLARED = Rule(
    code="item.undeclared",
    en="the licence type does not declare the item {code}",
    zh="证照类型未声明项目{code}",
    remedy_en="declare the item in the licence type, or leave it out of the mapping",
    remedy_zh="请在证照类型中声明该项目，或从映射中去掉",
    disposition=Disposition.WARN,
)
ITEM_KIND = Rule(
    code="item.kind",
    en="{label_en} must be a {kind}",
    zh="{label_zh}的值应为{kind_zh}",
    remedy_en="send {label_en} as a {kind}",
    remedy_zh="请将{label_zh}填为{kind_zh}",
)
ITEM_CODE = Rule(
    code="item.code-unknown",
    en="{label_en} has a value that is not in its code table",
    zh="{label_zh}的值不在代码表中",
    remedy_en="use one of: {accepted}",
    remedy_zh="可用的值：{accepted}",
    disposition=Disposition.QUARANTINE,
)
ITEM_PATTERN = Rule(
    code="item.pattern",
    en="{label_en} is not written in the declared form",
    zh="{label_zh}不符合规定的格式",
    remedy_en="compare the value with the licence",
    remedy_zh="请与证照核对该值",
    disposition=Disposition.QUARANTINE,
)
ITEM_RANGE = Rule(
    code="item.range",
    en="{label_en} must lie between {minimum} and {maximum}",
    zh="{label_zh}应在{minimum}与{maximum}之间",
    remedy_en="compare the value with the licence; mind the unit",
    remedy_zh="请与证照核对该值，注意单位",
    disposition=Disposition.QUARANTINE,
)
ITEM_FIELD = Rule(
    code="item.field-undeclared",
    en="an element of {label_en} has the field {code}, which is not declared",
    zh="{label_zh}的元素含有未声明的字段{code}",
    remedy_en="declare the field in the licence type, or leave it out of the mapping",
    remedy_zh="请在证照类型中声明该字段，或从映射中去掉",
    disposition=Disposition.WARN,
)
SCAN_MISSING = Rule(
    code="scan.missing",
    en="a record of class {source_class} needs at least one scan or photo, and has none",
    zh="{source_class}类数据至少须有一页扫描件或照片，记录中没有",
    remedy_en="send the record as multipart/form-data with each page as a part named scan",
    remedy_zh="请以 multipart/form-data 报送记录，每页作为名为 scan 的部分",
)
SCAN_UNEXPECTED = Rule(
    code="scan.unexpected",
    en="a record of class {source_class} carries no scans, yet this one does",
    zh="{source_class}类数据不应附带扫描件",
    remedy_en="leave the scans out, or correct source_class in the interface file",
    remedy_zh="请去掉扫描件，或在接口文件中更正 source_class",
)
VERIFIER_MISSING = Rule(
    code="verified-by.missing",
    en="application material is taken only with the name of the person who verified it",
    zh="申请材料须注明核验人，记录中没有",
    remedy_en="send the verifier's name in the field that the interface maps to verified_by",
    remedy_zh="请在接口映射到 verified_by 的字段中填写核验人",
)
ORIGINAL_MISSING = Rule(
    code="original.missing",
    en="a record of another licence library needs its sealed original, and has none",
    zh="来自其他证照库的数据须附带已签章的原件，记录中没有",
    remedy_en="send the sealed OFD or PDF as the part named original of multipart/form-data",
    remedy_zh="请将已签章的 OFD 或 PDF 作为 multipart/form-data 中名为 original 的部分报送",
)
ORIGINAL_UNEXPECTED = Rule(
    code="original.unexpected",
    en="a record of class {source_class} has no original of another library, yet this one does",
    zh="{source_class}类数据不应附带其他证照库的原件",
    remedy_en="leave the original out, or correct source_class in the interface file",
    remedy_zh="请去掉原件，或在接口文件中更正 source_class",
)

OWN_RULES = tuple(rule for rule in list(vars().values()) if isinstance(rule, Rule))

CATALOGUE: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        *OWN_RULES,
        *uscc.RULES,
        *citizen_id.RULES,
        *registration_number.RULES,
        *division.RULES,
        *IDENTIFIER_RULES,
    )
}
"""Rule code -> rule."""

FIXED = frozenset({FORBIDDEN_CHARACTER.code})
"""Rules no licence type may change: such a record cannot be stored at all."""
