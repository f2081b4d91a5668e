"""Names, trades and places to make records from; everything is invented and in characters every font has."""

from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董程"
GIVEN = "伟芳娜敏静丽强军洋勇艳杰涛明超秀霞平刚桂英华文建国红玉兰海波志新春梅"
TOWNS = ("青石", "临湖", "东山", "望江", "西塘", "南坪", "北河", "长桥")
WORDS = ("和", "顺", "兴", "隆", "福", "安", "祥", "盛", "鑫", "源", "泰", "丰", "康", "宏", "达", "信")
SHOPS = ("小吃店", "面馆", "便利店", "水果店", "早餐店", "烘焙坊")
STREETS = ("人民路", "解放路", "和平街", "建设路", "中山路", "新华街", "文化路", "胜利街")


def person(random: Random) -> str:
    """A name of two or three characters."""
    return random.choice(SURNAMES) + "".join(random.choice(GIVEN) for _ in range(random.choice((1, 2, 2))))


def company(random: Random, trades: tuple[str, ...]) -> str:
    """A company's name, ending in one of the trades."""
    return f"示范市{random.choice(TOWNS)}{''.join(random.sample(WORDS, 2))}{random.choice(trades)}有限公司"


def shop(random: Random) -> str:
    """A sole trader's shop."""
    town = random.choice(TOWNS)
    return (
        f"示范市{town}区{random.choice(SURNAMES)}记{''.join(random.sample(WORDS, 2))}{random.choice(SHOPS)}"
    )


def address(random: Random) -> str:
    """Where a business is."""
    return f"示范市{random.choice(TOWNS)}区{random.choice(STREETS)}{random.randrange(1, 300)}号"
