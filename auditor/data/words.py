"""From a column of texts to numbers of words, as an Embedding reads them: 0 is no word, 1 a word training lacks."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    import pandas as pd

UNKNOWN = 1
FIRST = 2
"""The number of the most frequent word."""


class _Separators(dict[int, str]):
    """For `str.translate`: letters, marks and digits stay, in any script; all else separates."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if unicodedata.category(character)[0] in "LMN" else " "
        return self[code]


_SEPARATORS = _Separators()


def split_words(text: str) -> list[str]:
    """The words of a text: composed (NFC), lower case, runs of letters, marks and digits."""
    return unicodedata.normalize("NFC", text).lower().translate(_SEPARATORS).split()


def learn(texts: Iterable[str], size: int) -> dict[str, int]:
    """Number the most frequent words, equally frequent ones by alphabet; all numbers are below `size`."""
    counts = Counter(chain.from_iterable(map(split_words, texts)))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(ordered[: size - FIRST], start=FIRST)}


def encode(column: str, vocabulary: Mapping[str, int], length: int, frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The first words of each text by number, [n, length], 0 behind the last; whole numbers are exact as float32."""
    numbers = np.zeros((len(frame), length), dtype=np.float32)
    for row, text in zip(numbers, frame[column], strict=True):
        words = split_words(text)[:length]
        row[: len(words)] = [vocabulary.get(word, UNKNOWN) for word in words]
    return numbers
