"""A code table: code -> text and text -> code, lenient on full-width characters, spaces and letter case."""

from collections.abc import Iterator, Mapping

from contracts.text import fold


class CodeTable:
    """An immutable table of codes with their Chinese texts; ``aliases`` are further texts that mean a code."""

    def __init__(self, name: str, rows: Mapping[str, str], aliases: Mapping[str, str] | None = None) -> None:
        """``name`` is how declarations refer to the table; raises ValueError when two codes share a text."""
        self.name = name
        self._texts = dict(rows)
        self._codes: dict[str, str] = {}
        for text, code in [*((text, code) for code, text in rows.items()), *(aliases or {}).items()]:
            if self._codes.setdefault(fold(text), code) != code or code not in self._texts:
                raise ValueError(f"{name}: {text} does not lead to one code")

    def text(self, code: str) -> str | None:
        """The text of ``code``, or None."""
        return self._texts.get(code) or self._texts.get(fold(code))

    def code(self, text: str) -> str | None:
        """The code whose text (or alias) is ``text``, or None."""
        return self._codes.get(fold(text))

    def resolve(self, value: str) -> str | None:
        """The code meant by ``value``, be it a code or a text; None when it is neither."""
        if value in self._texts:
            return value
        folded = fold(value)
        return folded if folded in self._texts else self._codes.get(folded)

    def __contains__(self, code: object) -> bool:
        return code in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
