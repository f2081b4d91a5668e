"""Licences and seals for the tests of packaging."""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from contracts.record import Holder, LicenceRecord
from core.packaging.request import PackageRequest
from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.signer import Algorithm
from core.sealing.authority import create_authority
from core.sealing.certificates import Purpose
from core.sealing.making import SealDesign, make_seal
from core.sealing.picture import SealText, draw_seal
from core.sealing.seal import ANY, Seal

MADE_AT = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
LICENCE_ID = UUID("01935000-0000-7000-8000-000000000001")
SCOPE = (
    "许可项目：食品销售；餐饮服务；酒类经营。（依法须经批准的项目，经相关部门批准后方可开展经营活动）"
    "一般项目：技术服务、技术开发、技术咨询；软件开发；信息系统集成服务 ABC-123 & <测试>。"
)


@cache
def seal(algorithm: Algorithm = Algorithm.ECDSA_P256_SHA256) -> Seal:
    """A seal made for this test run."""
    with TemporaryDirectory() as folder:
        authority = create_authority(Path(folder), algorithm, organisation="测试市")
        authority.issue("maker", Purpose.SEAL_MAKER)
        authority.issue("signer", Purpose.DOCUMENT_SIGNER)
        maker, signer = authority.signer("maker"), authority.signer("signer")
    picture = draw_seal(SealText("测试市市场监督管理局", "电子证照专用章"), FONTS / SHIPPED_FONT)
    design = SealDesign(
        name="测试市市场监督管理局",
        picture_png=picture,
        signer_certificates=[signer.certificate],
        created=datetime(2026, 1, 1, tzinfo=UTC),
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2036, 1, 1, tzinfo=UTC),
    )
    return Seal(design.name, make_seal(maker, design), signer, frozenset({ANY}), frozenset({ANY}))


def business_licence(**changes: object) -> LicenceRecord:
    """A business licence with every item the shipped style shows."""
    values: dict[str, object] = {
        "licence_type": "11100000MB0143028R001",
        "licence_name": "营业执照",
        "licence_number": "00000002202611230001",
        "holders": (Holder(name="测试市明德餐饮管理有限公司", code="91310000MA1FL0000X", code_type="001"),),
        "issuer_name": "测试市市场监督管理局",
        "issuer_code": "11310000MB2F305058",
        "region": "310000",
        "issued_on": date(2026, 11, 23),
        "valid_from": date(2026, 11, 23),
        "long_term": True,
        "items": {
            "KZ_LX": "有限责任公司（自然人投资或控股）",
            "KZ_FDDBR": "王喆",
            "KZ_ZS": "测试市滨江新区明德路 88 号 3 层 301 室",
            "KZ_ZCZB": "人民币伍佰万元整",
            "KZ_CLRQ": "2019-03-08",
            "KZ_JYFW": SCOPE,
        },
    }
    return LicenceRecord(**(values | changes))  # type: ignore[arg-type]  # changes are named by each test


def request_for(record: LicenceRecord, number: int = 1, **changes: object) -> PackageRequest:
    """A request to package ``record`` as version 1 of licence ``number``."""
    values: dict[str, object] = {
        "record": record,
        "identifier": f"1.2.156.3005.2.{record.licence_type}.{record.issuer_code}.{number:09d}.001.X",
        "file_number": f"LH-20261123-{number:012d}",
        "version_no": 1,
        "licence_id": UUID(int=LICENCE_ID.int + number),
        "library_name": "测试市电子证照库",
        "source": "市场监管局推送接口",
        "made_at": MADE_AT,
    }
    return PackageRequest(**(values | changes))  # type: ignore[arg-type]  # changes are named by each test


def permit(**changes: object) -> LicenceRecord:
    """A permit whose other items the shipped style lists."""
    values: dict[str, object] = {
        "licence_type": "11100000000013338W033",
        "licence_name": "安全生产许可证",
        "licence_number": "（测）JZ安许证字〔2026〕000123",
        "holders": (Holder(name="测试市恒昇建设工程有限公司", code="91310000MA1FL0001X", code_type="001"),),
        "issuer_name": "测试市住房和城乡建设管理委员会",
        "issuer_code": "11310000MB2F305058",
        "region": "310000",
        "issued_on": date(2026, 11, 23),
        "valid_from": date(2026, 11, 23),
        "valid_until": date(2029, 11, 22),
        "items": {
            "KZ_FDDBR": "陈昇",
            "KZ_DZ": "测试市滨江新区建设路 1024 号",
            "KZ_XKNR": "建筑施工；建筑装修装饰工程、消防设施工程、防水防腐保温工程专业承包；施工劳务。",
            "KZ_XKLB": "普通",
            "KZ_FZLX": ["新办", "整改后换发"],
        },
    }
    return LicenceRecord(**(values | changes))  # type: ignore[arg-type]  # changes are named by each test


def certificate(**changes: object) -> LicenceRecord:
    """A person's certificate."""
    values: dict[str, object] = {
        "licence_type": "11100000000013338W001",
        "licence_name": "二级建造师注册证书",
        "licence_number": "沪2312026202600123",
        "holders": (Holder(name="欧阳玥", code="11010519491231002X", code_type="111"),),
        "issuer_name": "测试市住房和城乡建设管理委员会",
        "issuer_code": "11310000MB2F305058",
        "region": "310000",
        "issued_on": date(2026, 11, 23),
        "valid_from": date(2026, 11, 23),
        "valid_until": date(2029, 11, 22),
        "items": {
            "KZ_ZY": "建筑工程、机电工程",
            "KZ_JB": "二级",
            "KZ_XB": "女",
            "KZ_DW": "测试市恒昇建设工程有限公司",
        },
    }
    return LicenceRecord(**(values | changes))  # type: ignore[arg-type]  # changes are named by each test


RECORDS = {"business-licence": business_licence, "permit": permit, "certificate": certificate}
"""A record for each shipped style, by its name."""
