"""What the benchmarks send: licences of about 2 KB with 20 Chinese fields, each with a number of its own."""

import csv
from collections.abc import Iterator
from pathlib import Path

import orjson

PUSHED = "food-permits"
PACKAGED = "business-licences"
"""The interface whose records are packaged."""
DROPPED = "food-permits-file"

_NAMES = "明德恒昇鑫源泰和顺安康宏伟嘉美佳乐福祥瑞丰盛达"
_SCOPE = (
    "许可项目：食品销售；餐饮服务；酒类经营；食品互联网销售。一般项目：食用农产品批发；食用农产品零售；"
    "新鲜水果零售；新鲜蔬菜批发；日用百货销售；包装服务；供应链管理服务；技术服务、技术开发、技术咨询、技术交流；"
    "会议及展览服务；市场营销策划；餐饮管理；外卖递送服务；低温仓储（不含危险化学品等需许可审批的项目）。"
)
_NOTE = "本许可证应当在经营场所显著位置公示；经营条件发生变化的，应当在十个工作日内报告。"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def declaration(interface: str) -> Path:
    """The file that declares an interface of the bench."""
    return Path(__file__).with_name(f"{interface}.toml")


def licence(number: int) -> dict[str, str]:
    """The fields of licence ``number``; all pass the rules."""
    name = _NAMES[number % 20] + _NAMES[number // 20 % 20] + f"{number}号餐饮管理有限公司"
    place = f"示范市滨江新区明德路 {number % 9973} 号 {number % 31 + 1} 幢 {number % 400 + 101} 室"
    return {
        "zzmc": "食品经营许可证",
        "xkbh": f"JY{11_000_000_000_000 + number}",
        "fzjg": "示范市市场监督管理局",
        "fzjgdm": "11999999MB2F00016L",
        "xzqh": "110101",
        "fzrq": "2026-03-05",
        "yxqq": "2026-03-05",
        "yxqz": "2031-03-04",
        "zt": "1",
        "xdr": name,
        "xydm": _credit_code(number),
        "xknr": _SCOPE,
        "xklb": "普通",
        "wsh": f"示市监食许〔2026〕第{number}号",
        "frdb": "王喆明",
        "zs": place,
        "jycs": place + "（经营场所与住所一致）",
        "ztyt": "餐饮服务经营者（大型餐馆，含网络经营；中央厨房配送）",
        "rcjg": "示范市市场监督管理局滨江新区分局明德路监督管理所",
        "jbr": "李建国",
        "bz": _SCOPE[: 170 + number % 20] + _NOTE * 3,
        "gxsj": "2026-03-05T09:30:00+08:00",
    }


def single(number: int) -> bytes:
    """One licence as a JSON object."""
    return orjson.dumps(licence(number))


def many(first: int, count: int) -> bytes:
    """Licences as a JSON array."""
    return orjson.dumps([licence(number) for number in range(first, first + count)])


def write_csv(path: Path, rows: int = 0, size_bytes: int = 0, first: int = 0) -> int:
    """Writes ``rows`` licences, or as many as fill ``size_bytes``, as UTF-8 CSV; returns their number."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(licence(0)))
        table.writeheader()
        written = 0
        for number in _numbers(first, rows):
            table.writerow(licence(number))
            written += 1
            if size_bytes and written % 1000 == 0 and file.tell() >= size_bytes:
                break
    return written


def _numbers(first: int, rows: int) -> Iterator[int]:
    number = first
    while not rows or number < first + rows:
        yield number
        number += 1


def _credit_code(number: int) -> str:
    """A unified social credit code with its check character (GB 32100-2015)."""
    body = f"91999999MA{number % 9_999_999:07d}"
    total = sum(_ALPHABET.index(sign) * weight for sign, weight in zip(body, _WEIGHTS, strict=True))
    return body + _ALPHABET[-total % 31]
