"""Image files, in a folder or a zip archive, and how they become arrays. JPEG and PNG only; nothing is trusted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import lzma
import os
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError

from auditor.data.inputs import new_array
from auditor.data.ordinary import opened
from auditor.data.reading import raise_first
from auditor.data.streams import write_labels
from auditor.errors import DataError, Problem
from auditor.provenance import digest_of_file
from auditor.regular import open_regular, read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from auditor.data.assemble import Checked
    from auditor.spec import Preprocess

Pixels = npt.NDArray[np.uint8]
LARGEST_FILE = 32 * 2**20
"""Bytes; no photograph of a person needs more."""
MOST_PIXELS = 25_000_000
"""Of one image: as it is unpacked, each takes up to 8 bytes, in as many threads as there are processors."""
MOST_INFLATED = 20
"""Images are compressed already: an archive that declares to unpack to more times its size is a bomb."""
DEFAULT_SIZE = (64, 64)
BATCH = 256
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""All that Pillow and zipfile raise for files that are damaged, too large, encrypted, or no images."""


class Readable(Protocol):
    """Where images can be read from."""

    path: Path

    def read(self, name: str) -> bytes:
        """The image's bytes; raises one of `UNREADABLE`."""


class ImageFiles(Readable, Protocol):
    """Where images lie; closed by leaving the context."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def size(self, name: str) -> int | None:
        """Bytes of the image; None where it is missing."""

    def identify(self, names: Sequence[str]) -> tuple[str, npt.NDArray[np.uint64]]:
        """SHA-256 of all images, and for each a number that equal images share; nothing is decoded."""


class FolderImages:
    """Images as files of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def size(self, name: str) -> int | None:
        """Bytes of the file."""
        file = self.path / name
        return file.stat().st_size if file.is_file() else None

    def read(self, name: str) -> bytes:
        """The file's bytes."""
        return read_regular(self.path / name, LARGEST_FILE)

    def identify(self, names: Sequence[str]) -> tuple[str, npt.NDArray[np.uint64]]:
        """Over names and bytes, in the order of the names."""
        digests = []
        for name in names:
            with opened(self.path / name, LARGEST_FILE) as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        whole = hashlib.sha256(b"".join(name.encode() + b"\0" + one for name, one in zip(names, digests, strict=True)))
        return whole.hexdigest(), np.frombuffer(b"".join(one[:8] for one in digests), dtype=np.uint64)


class ZipImages:
    """Images as members of a zip archive, under a folder of the archive's name or directly."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = open_archive(path, MOST_INFLATED, LARGEST_FILE)
        prefix = f"{path.stem}/"
        self._members = {member.filename.removeprefix(prefix): member for member in self._archive.infolist()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def size(self, name: str) -> int | None:
        """Bytes as declared in the archive; reading never gives more."""
        member = self._members.get(name)
        return None if member is None else member.file_size

    def read(self, name: str) -> bytes:
        """The member's bytes, its checksum verified."""
        return self._archive.read(self._members[name])

    def identify(self, names: Sequence[str]) -> tuple[str, npt.NDArray[np.uint64]]:
        """The archive's own digest; checksum and size of each member."""
        members = [self._members[name] for name in names]
        numbers = np.array([(member.CRC << 32) | (member.file_size & 0xFFFFFFFF) for member in members], np.uint64)
        return digest_of_file(self.path), numbers


def open_archive(path: Path, most_inflated: int, spare: int) -> zipfile.ZipFile:
    """Open a zip archive; raises DataError where it cannot be read or declares to unpack to far more than it holds.

    `most_inflated` is how many times its size it may unpack to, beyond `spare` bytes.
    """
    try:
        open_regular(path).close()
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise DataError(Problem(file=str(path), message=f"the archive cannot be read: {error}")) from error
    unpacked, packed = sum(member.file_size for member in archive.infolist()), path.stat().st_size
    if unpacked > most_inflated * packed + spare:
        archive.close()
        message = f"the archive of {packed:,} bytes declares to unpack to {unpacked:,}: no archive of data does"
        raise DataError(Problem(file=str(path), message=message))
    return archive


def check_files(files: ImageFiles, names: Sequence[str]) -> None:
    """Raise DataError for listed images that are missing or too large."""
    problems = []
    for name in names:
        size = files.size(name)
        if size is None:
            problems.append(Problem(file=str(files.path), where=name, message="the image is listed, but missing"))
        elif size > LARGEST_FILE:
            message = f"{size:,} bytes are more than an image may have ({LARGEST_FILE:,})"
            problems.append(Problem(file=str(files.path), where=name, message=message))
    raise_first(problems, str(files.path))


def check_crop(preprocess: Preprocess) -> list[Problem]:
    """Tell where the declared crop leaves nothing."""
    crop = preprocess.crop
    if crop is None or (crop[0] < crop[2] and crop[1] < crop[3]):
        return []
    message = f"{list(crop)} is empty: expected left < right and top < bottom"
    advice = "The order is left, top, right, bottom."
    return [Problem(where="data.preprocess.crop", message=message, advice=advice)]


def image_shape(preprocess: Preprocess) -> tuple[int, int, int]:
    """Height, width and channels of the model's input."""
    width, height = preprocess.resize or DEFAULT_SIZE
    return height, width, 1 if preprocess.color == "grey" else 3


def decode(data: bytes, preprocess: Preprocess) -> Pixels:
    """Crop, colour and bilinear resize, [height, width, channels]; raises one of `UNREADABLE`."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        # Nothing is unpacked yet: a small file can declare any number of them.
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"its {image.width} x {image.height} pixels are more than {MOST_PIXELS:,}")
        if preprocess.crop is not None and (preprocess.crop[2] > image.width or preprocess.crop[3] > image.height):
            raise ValueError(
                f"crop {list(preprocess.crop)} reaches beyond the image of {image.width} x {image.height} pixels"
            )
        pixels = image.convert("L" if preprocess.color == "grey" else "RGB").crop(preprocess.crop)
        resized = pixels.resize(preprocess.resize or DEFAULT_SIZE, Image.Resampling.BILINEAR)
    out = np.asarray(resized, dtype=np.uint8).reshape(image_shape(preprocess))
    return out[:, :, ::-1] if preprocess.color == "bgr" else out


def write_images(folder: Path, files: ImageFiles, checked: Checked, content: str, preprocess: Preprocess) -> None:
    """Decode the images of all splits straight into the model's inputs; raises DataError naming the corrupt ones.

    `content` is what the images' digest must still be afterwards.
    """
    problems: list[Problem] = []
    for name, positions in checked.parts.items():
        out = new_array(folder, name, (positions.size, *image_shape(preprocess)))
        problems += fill(out, files, [str(one) for one in checked.rows.examples(positions)], preprocess)
    raise_first(tuple(dict.fromkeys(problems)), str(files.path))
    if files.identify(checked.rows.texts)[0] != content:
        raise DataError(Problem(file=str(files.path), message="the images changed while they were read"))
    write_labels(folder, checked, preprocess)


def fill(out: Pixels, files: Readable, names: Sequence[str], preprocess: Preprocess) -> list[Problem]:
    """Decode every image into its place of `out`, [n, height, width, channels]; the images that cannot be are told."""

    def decode_batch(start: int) -> list[Problem]:
        return list(_failures(range(start, min(start + BATCH, len(names))), place))

    def place(index: int) -> Problem | None:
        try:
            out[index] = decode(files.read(names[index]), preprocess)
        except UNREADABLE as error:
            # Pillow's own words name an object in memory
            unknown = isinstance(error, UnidentifiedImageError)
            reason = "it is neither JPEG nor PNG" if unknown else str(error).replace("\n", " ")
            return Problem(file=str(files.path), where=names[index], message=f"the image cannot be read: {reason}")
        return None

    # Pillow decodes outside the interpreter lock; both are set once, because setting them is not thread-safe
    with warnings.catch_warnings(), _whole_alone(), ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return [problem for batch in pool.map(decode_batch, range(0, len(names), BATCH)) for problem in batch]


@contextlib.contextmanager
def _whole_alone() -> Iterator[None]:
    """Images that are cut off are refused, also where another library (WeasyPrint) has told Pillow to fill them up."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _failures(indices: range, place: Callable[[int], Problem | None]) -> Iterator[Problem]:
    for index in indices:
        problem = place(index)
        if problem is not None:
            yield problem
