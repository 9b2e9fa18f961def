"""Text that others wrote (names of groups, classes, files, their own messages), made fit to show anywhere."""

from __future__ import annotations

import hashlib
import unicodedata

SENTENCE_LIMIT = 1_000
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing, or turn the text around them: controls, bidi marks, surrogates, unassigned."""
_JOINERS = "\u200c\u200d"
"""Format characters that Persian, Indic scripts and emoji need."""


def clean(text: str, limit: int = SENTENCE_LIMIT) -> str:
    """Make a text fit to print: what cannot be seen is replaced, what is too long is cut and said."""
    cut = text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters, {_fingerprint(text)})"
    return "".join(map(_seen, cut))


def _seen(character: str) -> str:
    if character in "\n\t":
        return " "
    if character in _JOINERS or unicodedata.category(character) not in _UNSEEN:
        return character
    return "\N{REPLACEMENT CHARACTER}"


def _fingerprint(text: str) -> str:
    """Tell apart two long texts that begin alike."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:6]


def is_text(name: str) -> bool:
    """Tell whether a name can be written as UTF-8; one from the file system may hold other bytes, as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def commandless(document: str) -> str:
    """Write JSON so that no string of it is a command, ##[…], to a pipeline that reads what is printed: same values."""
    return document.replace("##[", "##\\u005b")


def duration(seconds: float) -> str:
    """Give seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
