"""Code tables of the field; ``TABLES`` finds one by the name a declaration uses."""

from contracts.codes import authority, holder, person, publicity
from contracts.codes.table import CodeTable

TABLES: dict[str, CodeTable] = {
    table.name: table
    for table in (
        authority.LEVELS,
        holder.CODE_TYPES,
        holder.GUANGDONG_TYPES,
        person.SEX,
        publicity.RELATIVE_TYPES,
        publicity.PERMIT_CATEGORIES,
        publicity.OLD_APPROVAL_CATEGORIES,
        publicity.CERTIFICATE_TYPES,
        publicity.STATES,
        publicity.OLD_STATES,
    )
}
