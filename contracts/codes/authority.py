"""Code tables about issuing authorities."""

from contracts.codes.table import CodeTable

LEVELS = CodeTable(
    "authority-level",
    {"1": "国家级", "2": "省部级", "3": "地市级", "4": "区县级", "5": "其他"},
    aliases={"省级": "2", "部级": "2", "市级": "3", "县级": "4", "乡镇级": "5"},
)
"""证照颁发机构级别 as implementing systems use it."""
