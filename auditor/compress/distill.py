"""Distillation (Hinton, Vinyals and Dean 2015, arXiv 1503.02531): a smaller model learns what a larger one says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from auditor.compress import MemberError, Method
from auditor.compress.lesson import Lesson
from auditor.errors import ModelError, Problem
from auditor.models.architectures import build, check_architecture
from auditor.models.start import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.models import KerasModel

_KEYS = ("student", "options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distill(Method):
    """The student has as many outputs as its teacher, and starts from weights drawn at random."""

    method: Literal["distill"] = "distill"
    student: str
    options: Mapping[str, Any] = field(default_factory=dict)
    temperature: float
    alpha: float
    _teacher: dict[str, int] = field(init=False, repr=False, default_factory=dict)
    """How many parameters it has."""

    def lesson(self, model: KerasModel, activation: str | None) -> Lesson:
        """What the model before this step teaches."""
        return Lesson(teacher=model, activation=activation, temperature=self.temperature, alpha=self.alpha)

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:
        """The untrained student. Raises MemberError where it cannot be built or is no smaller than its teacher."""
        from auditor.tf import reseed

        reseed(seed)
        try:
            student = build(self.student, model.input_shape[1:], max(2, model.output_shape[-1]), self.options, _KEYS)
        except ModelError as error:
            raise MemberError(" ".join(f"{each.where}: {each.message}" for each in error.problems)) from error
        small, large = student.count_params(), model.count_params()
        if small >= large:
            raise MemberError(
                f'the student "{self.student}" has {small:,} parameters, its teacher {large:,}: it is not smaller'
            )
        self._teacher["parameters"] = large
        return student

    def check(self, model: KerasModel) -> Mapping[str, Any]:  # noqa: ARG002 - the file tells the student's own
        """The size of the teacher."""
        return {"teacher_parameters": self._teacher["parameters"]}

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """The file has fewer parameters than the teacher."""
        teacher, found = measured["teacher_parameters"], measured["parameters"]
        if found >= teacher:
            raise MemberError(f"the file has {found:,} parameters, the teacher had {teacher:,}")


def check_student(name: str, options: Mapping[str, Any], where: str) -> None:
    """Refuse an unknown architecture or option, without TensorFlow. `where` names the compression.

    Raises ModelError with every one of them.
    """
    started = [
        Problem(
            where=f"{where}: options.{option}", message="is not for a student, which starts fresh and is all trained"
        )
        for option in OPTIONS
        if option in options
    ]
    if started:
        raise ModelError(*started)
    check_architecture(name, options, (f"{where}: student", f"{where}: options"))
