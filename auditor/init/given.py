"""Model files that are given: looked into, never opened, and what follows for data and outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auditor.declare.sense_models import FINAL
from auditor.errors import ModelError, Problem, SpecError
from auditor.models.artifact import laid_out
from auditor.models.inspect import inspect_model
from auditor.models.load import ending_of, read_pinned
from auditor.models.saved_model import PACKED
from auditor.population.files import check_partners, matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.init.find import Found
    from auditor.models.config import ModelFacts

COLORS = (1, 3)
"""Channels that images are decoded to."""
_FIRST_LAYERS = 4
"""Among so many first layers stands one that rescales pixels, if the model has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenModel:
    """A model file, or those that a star stands for."""

    path: Path
    sha256: Mapping[str, str]
    """The digest for each text that the star stands for; of one file for the empty text."""
    facts: ModelFacts
    """Of the first one."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can be trained or compressed from it."""
        return self.facts.ending in {*FINAL, PACKED}

    @property
    def format(self) -> str:
        """What its format is called."""
        return "SavedModel" if self.facts.ending == PACKED else self.facts.ending

    @property
    def is_undeclared(self) -> bool:
        """Whether its single output may be a probability or a logit."""
        return self.facts.outputs == 1 and self.facts.activation != "sigmoid"

    @property
    def rescales(self) -> bool:
        """Whether it begins by rescaling pixels itself."""
        return any(kind == "Rescaling" for _, kind in self.facts.layers[:_FIRST_LAYERS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """The images that a model reads."""

    height: int | None
    """None: any."""
    width: int | None
    channels: int


def look_into(path: Path | None, flag: str) -> GivenModel | None:
    """Look at the file of a path, or at all that its star stands for; raises AuditorError for what is refused."""
    if path is None:
        return None
    found = matches(Path.cwd(), str(path))
    if not found:
        advice = "The star stands for a part of one name, such as runs/*/baseline.keras; quote it from the shell."
        raise SpecError(Problem(file=str(path), where=flag, message="no file matches the star", advice=advice))
    digests, facts = {}, []
    for star, file in found.items():
        content, digests[star] = read_pinned(file, None)
        facts.append(inspect_model(content, ending_of(file), str(file)))
    return GivenModel(path=path, sha256=digests, facts=facts[0])


def check_given(model: GivenModel | None, artifact: GivenModel | None) -> None:
    """Raise AuditorError where the files make no audit."""
    if model is None:
        if artifact is not None:
            advice = "Name the model that it came of, too: --model."
            message = "is compared with a baseline, which is missing"
            raise SpecError(Problem(where="--artifact", message=message, advice=advice))
        return
    if artifact is None and model.is_final:
        advice = "Name a compressed file with --artifact, or the .keras or .h5 file that it came of with --model."
        message = f"a {model.format} model cannot be compressed further, so that there is nothing to compare it with"
        raise SpecError(Problem(where="--model", message=message, advice=advice))
    starred = "*" in str(model.path)
    if artifact is not None and starred and "*" not in str(artifact.path):
        advice = "Write a star here too, in place of the baseline's."
        message = "one file cannot be compared with a population"
        raise SpecError(Problem(where="--artifact", message=message, advice=advice))
    if artifact is not None and starred:
        check_partners("--artifact", artifact.sha256, model.sha256)


def check_outputs(model: GivenModel, flag: str, classes: int) -> bool:
    """Whether the outputs are the classes, as far as the file tells; raises ModelError where they can never be."""
    outputs = model.facts.outputs
    if outputs == 1 and classes > 2:
        message = f"the model has 1 output, and the data has {classes} classes"
        advice = "One output tells two classes apart: name the label that the model was trained for."
        raise ModelError(Problem(file=str(model.path), where=flag, message=message, advice=advice))
    return outputs in {None, classes} or (outputs == 1 and classes == 2)


def pixels_of(facts: ModelFacts) -> Pixels | None:
    """The images that the model reads, by its input's shape; None where it reads no images of one or three colours."""
    match facts.input_shape:
        case (height, width, (1 | 3) as last):
            return Pixels(height=height, width=width, channels=last)
        case ((1 | 3) as first, height, width):
            return Pixels(height=height, width=width, channels=first)
        case (height, width):
            return Pixels(height=height, width=width, channels=1)
        case (int() as flat,):
            for channels in COLORS:
                side = math.isqrt(flat // channels)
                if side > 1 and side * side * channels == flat:
                    return Pixels(height=side, width=side, channels=channels)
    return None


def check_input(model: GivenModel, flag: str, found: Found) -> None:
    """Raise ModelError where the model cannot read what the data holds."""
    file, shape = str(model.path), model.facts.input_shape
    if shape is None:
        return
    if found.example is not None:
        try:
            laid_out(np.zeros((1, *found.example.shape), np.float32), shape)
        except ModelError as error:
            told = error.problems[0].message
            raise ModelError(Problem(file=file, where=flag, message=told)) from None
    elif found.pictures and pixels_of(model.facts) is None:
        reads = " x ".join("any" if size is None else str(size) for size in shape)
        message = f"the model reads examples of shape {reads}: no images of one or three colours"
        advice = "Write audit.toml by hand, with a function of your own as data.preprocess: README.md, “Models”."
        raise ModelError(Problem(file=file, where=flag, message=message, advice=advice))
