"""Whether a message for Chinese readers is Chinese from end to end."""

import re

_ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}|[A-Za-z]+ `|[a-z]{2,} '")


def english_in(text: str) -> list[str]:
    """Pieces of English sentences in ``text``, or all of it where nothing is Chinese; names and keys may stand alone."""
    if not re.search("[\u4e00-\u9fff]", text):
        return [text]
    return _ENGLISH.findall(text)
