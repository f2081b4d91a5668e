"""The cases of the demonstration: how a sound licence is changed, and what must then come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from licencehub.demo import people
from licencehub.demo.check_digits import PLACEHOLDER, credit_code, registration_number, with_wrong_check
from licencehub.demo.facts import REFUSED, Expected, Facts, Row

Change = Callable[[Facts, Random, date], Facts]


@dataclass(frozen=True)
class Case:
    """A change with its fate; ``share`` is its part of a batch in thousandths, ``cause`` names it for the table."""

    cause: str
    share: int
    change: Change
    outcome: str
    rule: str = ""
    bad_bytes: bool = False
    extra_field: bool = False

    def row(self, facts: Facts, random: Random, today: date) -> Row:
        """A row of this case."""
        changed = self.change(facts, random, today)
        expected = Expected(self.outcome, self.rule)
        return Row(self.cause, changed, expected, bad_bytes=self.bad_bytes, extra_field=self.extra_field)


def same(facts: Facts, _random: Random, _today: date) -> Facts:
    """Nothing is changed."""
    return facts


def _wrong_check(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(holder_code=with_wrong_check(facts.holder_code))


def _cut_code(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(holder_code=facts.holder_code[:17])


def _sole_trader(facts: Facts, random: Random, _today: date) -> Facts:
    number = registration_number(random)
    shop = people.shop(random)
    return facts.but(
        holder_kind="shop", holder_name=shop, holder_code=PLACEHOLDER, registration_number=number
    )


def _sole_trader_without_number(facts: Facts, random: Random, today: date) -> Facts:
    return _sole_trader(facts, random, today).but(registration_number="")


def _placeholder_of_company(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(holder_code=PLACEHOLDER)


def _long_term(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(valid_until=None)


def _expired(facts: Facts, random: Random, today: date) -> Facts:
    ended = today - timedelta(days=random.randrange(30, 300))
    decided = ended - timedelta(days=5 * 365)
    return facts.but(decided=decided, valid_from=decided, valid_until=ended)


def _withdrawn(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(state="2")


def _no_such_day(facts: Facts, _random: Random, today: date) -> Facts:
    return facts.written(decided=f"{today.year - 1}/02/30")


def _no_date_at_all(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.written(valid_until="另行通知")


def _swapped_dates(facts: Facts, _random: Random, _today: date) -> Facts:
    until = facts.valid_until or facts.valid_from + timedelta(days=365)
    return facts.but(valid_from=until, valid_until=facts.valid_from)


def _in_future(facts: Facts, _random: Random, today: date) -> Facts:
    return facts.but(decided=today + timedelta(days=90))


def _no_name(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(holder_name="")


def _no_number(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(number="")


def _unknown_category(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(category="备案")


def _stranger(facts: Facts, random: Random, _today: date) -> Facts:
    return facts.but(issuer_name="邻市行政审批局", issuer_code=credit_code(random, "11"))


def _mojibake(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(holder_name=facts.holder_name[:4] + "??" + facts.holder_name[6:])


def _no_certificate(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(licence_name="")


def _forbidden_character(facts: Facts, _random: Random, _today: date) -> Facts:
    return facts.but(content=facts.content[:4] + "\u202e" + facts.content[4:])


COMMON = (
    Case("expired 已过有效期", 20, _expired, "history"),
    Case("withdrawn 已撤销", 8, _withdrawn, "history"),
    Case("validity reversed 起止日期颠倒", 8, _swapped_dates, "rejected", "validity.order"),
    Case("issued in the future 颁发日期在未来", 8, _in_future, "rejected", "issued-on.future"),
    Case("holder's name missing 缺少持证主体", 8, _no_name, "rejected", "required.missing"),
    Case("issuer not entitled 非登记颁发机构", 8, _stranger, "quarantined", "issuer.not-entitled"),
    Case("damaged name 名称乱码", 8, _mojibake, "quarantined", "name.special-character"),
    Case("unknown category 许可类别不在代码表", 8, _unknown_category, "quarantined", "mapping.unknown-code"),
)
OF_FILES = (
    Case("bad check digit 统一代码校验码错误", 15, _wrong_check, "rejected", "uscc.check-digit"),
    Case("day that does not exist 不存在的日期", 10, _no_such_day, "rejected", "date.does-not-exist"),
    Case("no date 不是日期", 6, _no_date_at_all, "rejected", "date.format"),
    Case("no certificate 未核发证书", 25, _no_certificate, "filtered", "no-certificate"),
)
OF_CSV = (
    Case("long term 长期 2099/12/31", 60, _long_term, "new"),
    Case("code cut short 代码不足18位", 6, _cut_code, "rejected", "uscc.length"),
    Case("sole trader, placeholder 个体工商户占位代码", 40, _sole_trader, "new"),
    Case(
        "sole trader without number 无工商注册号",
        8,
        _sole_trader_without_number,
        "rejected",
        "holder.registration-number-missing",
    ),
    Case(
        "placeholder of a company 企业使用占位代码",
        6,
        _placeholder_of_company,
        "rejected",
        "uscc.placeholder",
    ),
    Case(
        "undecodable bytes 无法解码的字节",
        6,
        same,
        "quarantined",
        "decoding.undecodable-bytes",
        bad_bytes=True,
    ),
    Case("one field too many 多一个字段", 6, same, "quarantined", "csv.ragged-row", extra_field=True),
)
OF_PUSH = (
    Case("bad check digit 身份号码校验码错误", 15, _wrong_check, "rejected", "citizen-id.check-digit"),
    Case("day that does not exist 不存在的日期", 10, _no_such_day, REFUSED, "date.does-not-exist"),
    Case("number missing 缺少证照编号", 10, _no_number, REFUSED, "mapping.required"),
    Case(
        "direction mark in text 含方向控制符", 8, _forbidden_character, REFUSED, "mapping.forbidden-character"
    ),
)


def first_batch(licences: Sequence[Facts], cases: Sequence[Case], random: Random, today: date) -> list[Row]:
    """A row of each licence: the cases by their shares, at least one of each, the rest sound and new; shuffled."""
    rows: list[Row] = []
    left = list(licences)
    for case in cases:
        count = max(1, round(case.share * len(licences) / 1000))
        rows += [case.row(left.pop(), random, today) for _ in range(count)]
    sound = Case("sound 合格", 0, same, "new")
    rows += [sound.row(facts, random, today) for facts in left]
    random.shuffle(rows)
    return rows


def second_batch(first: Sequence[Row], random: Random, today: date) -> list[Row]:
    """Rows about licences that the first batch made: sent again, changed later, older than known, in conflict."""
    known = [row.facts for row in first if row.expected.outcome == "new"]
    random.shuffle(known)
    quarter = len(known) // 12
    rows = [Row("sent again 重复报送", facts, Expected("repeat")) for facts in known[: 2 * quarter]]
    rows += [_renewed(facts, today) for facts in known[2 * quarter : 4 * quarter]]
    rows += [_older(facts) for facts in known[4 * quarter : 5 * quarter]]
    rows += [_contradicted(facts) for facts in known[5 * quarter : 5 * quarter + max(1, quarter // 2)]]
    random.shuffle(rows)
    return rows


def _renewed(facts: Facts, today: date) -> Row:
    decided = facts.decided + (today - facts.decided) // 2
    until = facts.valid_until and facts.valid_until + timedelta(days=3 * 365)
    changed = facts.but(
        decided=decided, valid_from=decided, valid_until=until, content=facts.content + "（变更）"
    )
    return Row("renewed 延续变更", changed, Expected("newer"))


def _older(facts: Facts) -> Row:
    decided = facts.decided - timedelta(days=400)
    changed = facts.but(decided=decided, valid_from=decided, content=facts.content + "（原）")
    return Row("older than known 旧版本", changed, Expected("stale"))


def _contradicted(facts: Facts) -> Row:
    changed = facts.but(content=facts.content + "（另）")
    return Row("same date, other content 同日异文", changed, Expected("conflict"))
