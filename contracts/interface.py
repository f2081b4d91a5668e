"""Declaration of a department interface: where its data comes from, how it maps to the canonical record, what is expected of it.

One TOML file per interface; a mapping-only integration needs nothing else. Compiled by ``contracts.mapping``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from contracts.dates import DateFormat
from contracts.declare import described
from contracts.licence_type import Label
from contracts.record import Collection, SourceClass

Operator = Literal[
    "=", "!=", "in", "not-in", "present", "absent", "matches", "contains", "starts-with", "<", "<=", ">", ">="
]
ValueKind = Literal["", "text", "date", "time", "number", "flag", "any"]
Name = Annotated[
    str,
    described(
        "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
        "1 to 64 small letters, digits and hyphens, with no hyphen at either end",
        "由1至64个小写字母、数字和连字符组成，首尾不能是连字符",
    ),
]
"""Names that appear in URLs, commands, folders and metrics."""


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A test on one source field; the list of operators is closed.

    Values are compared as trimmed texts; ``<`` and its kin compare numbers when both sides are numbers. ``in`` and ``not-in``
    take a list, ``matches`` a regular expression that the whole text must match, ``present`` and ``absent`` no value.
    """

    field: str
    """Source column or JSON path; ``*`` is any column (``contains`` and ``absent`` only make sense there)."""
    op: Operator = "="
    """How the field is compared."""
    value: Any = None
    """What it is compared with."""


class FieldMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one canonical field is made from the source's fields.

    Steps, in this order: the first source that is not empty (or the template, or the constant), trimmed; ``codes``; then the kind
    of the canonical field (dates for dates, a flag for ``long_term``, text otherwise).
    """

    source: str | tuple[str, ...] = ()
    """Source column or JSON path (dots; ``/`` pointer when it starts with one); of several the first that is not empty."""
    constant: Any = None
    """A fixed value instead of a source."""
    template: str = ""
    """``{column}`` placeholders joined to one text; empty when every placeholder is empty."""
    codes: dict[str, Any] = {}
    """Source value -> canonical value; a value not listed is a fault unless ``codes_default`` is given."""
    codes_default: Any = None
    """Canonical value for source values that ``codes`` does not list; means nothing without ``codes``."""
    kind: ValueKind = ""
    """Kind of an item or order field: ``text`` (default), ``date``, ``time`` (date with time of day), ``number``, ``flag``,
    ``any`` (JSON taken as it is). Canonical fields know their own."""
    dates: tuple[DateFormat, ...] = ()
    """Date formats tried before the ISO, slash, dot, compact and Chinese forms (``%m/%d/%Y``, ``excel``, ``epoch-ms`` …)."""
    strip: bool = True
    """White space around the text is removed."""
    empty: tuple[str, ...] = ()
    """Texts that mean *no value* besides the empty one."""
    split: str = ""
    """Separator of several holders in one field (``holder.*`` only)."""
    required: bool = False
    """An empty value is a fault of the source."""
    default: Any = None
    """Canonical value where the source has none."""
    when: tuple[Condition, ...] = ()
    """Applied only when all conditions hold."""


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows that are no licences of this interface: dropped with the outcome ``filtered``, counted in the ledger."""

    name: Name
    """Named in the ledger for every row it drops."""
    when: tuple[Condition, ...]
    """All must hold."""
    reason: Label = {}
    """Why such rows are no licences, by language."""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows of one licence gathered into one record with a repeated item."""

    by: tuple[str, ...]
    """Source fields whose equal values make one licence."""
    item: str
    """Code of the repeated item, e.g. ``KZ_LOCATIONS``: the licence type declares it with ``kind = "list"``."""
    fields: dict[str, FieldMapping] = {}
    """Element field -> mapping, made from each row; rows with equal elements are listed once."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which of two versions of a licence is the newer (ARCHITECTURE: order comes only from the store)."""

    by: tuple[FieldMapping, ...] = ()
    """Source fields, most significant first (dates sort as dates, numbers as numbers); empty: arrival."""
    ties: Literal["conflict", "arrival"] = "conflict"
    """Equal order with other content: a conflict for a person, or the later arrival wins."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form the data comes in."""

    format: Literal["csv", "xlsx", "json", "ndjson"] = "json"
    """``csv`` is any delimited text; ``xlsx`` is read from the older ``xls`` too."""
    encoding: str = ""
    """Wins over detection (BOM, strict UTF-8, then GB18030); ``gb2312`` and ``gbk`` are read as their superset GB18030."""
    delimiter: str = ","
    """Separator of delimited text."""
    quote: str = '"'
    """Quotation mark of delimited text; empty: none."""
    sheet: str = ""
    """Worksheet name; empty: the first."""
    header_row: int = 1
    """1-based row of the column names."""
    columns: tuple[str, ...] = ()
    """Expected column names in order; a file whose header differs is refused with the difference. Empty: what the mapping
    reads must be there."""
    skip: tuple[Filter, ...] = ()
    """Rows that are furniture of the sheet, not records (template notes): skipped and counted, no receipt. Rows that are empty in
    every column the mapping reads (numbered empty rows) are skipped without being declared."""
    empty: tuple[str, ...] = ()
    """Texts that mean *no value* in every column, besides the empty one (``/``, ``无``)."""
    records: str = ""
    """JSON pointer of the array of records in a JSON document; empty: the document itself."""


class Drop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A watched folder (channel adapter: file drop)."""

    folder: str
    """Folder, relative to the hub's data directory unless absolute."""
    pattern: tuple[str, ...] = ("*",)
    """File names taken (shell patterns)."""
    completion: Literal["rename", "done-file", "manifest", "stable"] = "rename"
    """How a writer says a file is whole (declared per source; stability is the last choice)."""
    done_suffix: str = ".done"
    """With ``done-file``: an empty file of the name and this suffix, written last."""
    manifest_suffix: str = ".manifest.json"
    """With ``manifest``: a JSON list of ``{"name", "size_bytes", "sha256"}``, written last."""
    stable_s: float = 30.0
    """With ``stable``: seconds without change of size and mtime, by the hub's own observation."""
    temporary: tuple[str, ...] = ("*.tmp", "*.part", "*.filepart", "*.crdownload", ".*")
    """File names never taken: a writer's temporary ones."""
    poll_s: float = 2.0
    """Seconds between two looks into the folder."""
    retention_days: int = 90
    """How long archived and refused files are kept."""
    max_bytes: int = 4 * 1024**3
    """Larger files are refused."""
    min_free_bytes: int = 64 * 1024**2
    """Below this much free space no file is claimed: nothing is lost, the files wait in their folder."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is normal for the interface: basis of the upload alerts (接收预警)."""

    interval_s: float = 0.0
    """Longest normal silence in seconds; 0: none declared."""
    reject_ratio: float = 0.2
    """Share of refused and quarantined records that raises an alert."""


class Interface(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An interface as its file declares it; its lifecycle state is the registry's, not the file's."""

    name: Name
    """``a-z0-9-``, at most 64 characters: the name in URLs, commands and metrics."""
    title: Label = {}
    """Name for people, by language."""
    department: str
    """Department (政务部门) that owns the data."""
    department_code: str = ""
    """Its USCC."""
    owner: str = ""
    """Person or mailbox to ask."""
    licence_type: str
    """Type code every record gets, unless ``fields.licence_type`` maps it."""
    protocol: Literal["rest", "file"] = "rest"
    """``rest``: the department pushes JSON; ``file``: it drops files, or an operator imports them."""
    collection: Collection = Collection.INCREMENTAL
    """``one-off`` import, ``stock``, or ``incremental`` deliveries: told apart in ledger and reports."""
    source_class: SourceClass = SourceClass.DATA
    """How the data came about: A typed in, B application material, C approval result, D data only, E another library. A, B and C
    need a scan with each record, B a ``verified_by``, E the sealed original; no mapping can change it record by record."""
    rank: int = 100
    """Standing of this source for its type and issuer: a lower rank never overwrites a higher one."""
    source: Source = Source()
    """The form the data comes in."""
    drop: Drop | None = None
    """The watched folder, with ``protocol = "file"``."""
    fields: Mapping[str, FieldMapping | tuple[FieldMapping, ...]] = {}
    """Canonical field -> mapping, or a list of which the first applies whose ``when`` holds. Names: the fields of LicenceRecord,
    ``holder.name|code|code_type``, ``items.<code>``. ``status`` maps to the canonical words by its ``codes``."""
    filters: tuple[Filter, ...] = ()
    """Rows that are no licences."""
    group: Group | None = None
    """Rows of one licence gathered into one record."""
    order: Order = Order()
    """Which of two versions is the newer."""
    expects: Expectation = Expectation()
    """What is normal for it: basis of the upload alerts."""
    clock: str = ""
    """``YYYY-MM-DD``: the day validity is judged at instead of today (fixed examples and tests only)."""
    quarantine_faults: tuple[str, ...] = ()
    """Codes of decoding and mapping rules whose findings are quarantined instead of rejected."""


LIFECYCLE: dict[str, tuple[str, ...]] = {
    "draft": ("registered", "retired"),
    "registered": ("certified", "enabled", "retired"),
    "certified": ("enabled", "retired"),
    "enabled": ("paused", "retired"),
    "paused": ("enabled", "retired"),
    "retired": (),
}
"""Interface registry states and the transitions allowed from each; new ones start disabled (``registered``)."""
