"""Three invented departments, the licences they issue, and the licences they have."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from licencehub.demo import people
from licencehub.demo.check_digits import citizen_number, credit_code
from licencehub.demo.facts import Facts


@dataclass(frozen=True)
class Authority:
    """A department and its one kind of licence."""

    name: str
    code: str
    licence_name: str
    number_prefix: str
    contents: tuple[str, ...]
    years: int
    trades: tuple[str, ...]
    """What the companies that hold its licences do; none: the holders are people."""

    @property
    def type_code(self) -> str:
        """证照类型代码: the defining body's code and a serial of three digits."""
        return self.code + "001"


# The codes are fixed, since the interface files name them; the tests compute their check characters again.
MARKET = Authority(
    "示范市市场监督管理局",
    "11999999MB2F00016L",
    "食品经营许可证",
    "JY1999999",
    (
        "热食类食品制售",
        "预包装食品销售；散装食品销售",
        "糕点类食品制售；自制饮品制售",
        "冷食类食品制售；生食类食品制售",
    ),
    5,
    ("餐饮管理", "食品", "商贸", "烘焙"),
)
HEALTH = Authority(
    "示范市卫生健康委员会",
    "11999999MB2F00024F",
    "公共场所卫生许可证",
    "示卫公证字〔2024〕第",
    ("住宿场所：宾馆", "美容美发场所：理发店", "体育场所：游泳馆", "沐浴场所：公共浴室"),
    4,
    ("酒店管理", "健身服务", "美容", "洗浴服务"),
)
TRANSPORT = Authority(
    "示范市交通运输局",
    "11999999MB2F00032A",
    "道路运输从业人员从业资格证",
    "999999",
    ("道路旅客运输驾驶员", "道路货物运输驾驶员", "出租汽车驾驶员", "道路危险货物运输押运人员"),
    6,
    (),
)


def licences(authority: Authority, count: int, random: Random, today: date) -> list[Facts]:
    """Sound licences in force, every number once."""
    return [_licence(authority, number + 1, random, today) for number in range(count)]


def _licence(authority: Authority, serial: int, random: Random, today: date) -> Facts:
    decided = today - timedelta(days=random.randrange(40, 700))
    ending = "号" if authority.number_prefix.endswith("第") else ""
    person = not authority.trades
    holder = people.person(random) if person else people.company(random, authority.trades)
    code = _citizen(random) if person else credit_code(random, "91")
    return Facts(
        holder_name=holder,
        holder_kind="person" if person else "company",
        holder_code=code,
        legal_person="" if person else people.person(random),
        address=people.address(random),
        licence_name=authority.licence_name,
        number=f"{authority.number_prefix}{serial:07d}{ending}",
        content=random.choice(authority.contents),
        decided=decided,
        valid_from=decided,
        valid_until=decided + timedelta(days=authority.years * 365),
        issuer_name=authority.name,
        issuer_code=authority.code,
    )


def _citizen(random: Random) -> str:
    born = date(1960, 1, 1) + timedelta(days=random.randrange(14_000))
    return citizen_number(random, f"{born:%Y%m%d}")
