"""Code tables about people."""

from contracts.codes.table import CodeTable

SEX = CodeTable(
    "sex",
    {"0": "未知的性别", "1": "男性", "2": "女性", "9": "未说明的性别"},
    aliases={"未知": "0", "男": "1", "女": "2", "未说明": "9"},
)
"""GB/T 2261.1."""
