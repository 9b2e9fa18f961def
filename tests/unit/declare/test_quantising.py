"""Quantisation in audit.toml: what makes no sense is told with key and reason."""

from __future__ import annotations

import pytest

from auditor.declare import load_spec
from auditor.errors import SpecError

HEAD = """
schema = 1
attribute = ["sex"]
[model]
architecture = "mlp"
[data]
path = "people.csv"
label = "income"
"""
CHAIN = """method = "prune"
sparsity = 0.5
then = [{ method = "int8", calibration = { without = { sxe = ["F"] } } }]
"""


def load(tmp_path, text):
    (tmp_path / "audit.toml").write_text(HEAD + text, encoding="utf-8")
    return load_spec(tmp_path / "audit.toml").spec


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('method = "float16"\nio = "int8"', "compression[1].io: has no meaning with float16"),
        (
            'method = "dynamic_int8"\nper_channel = false',
            "compression[1].per_channel: has no meaning with dynamic_int8",
        ),
        ('method = "float16"\ncalibration = { size = 5 }', "compression[1].calibration: has no meaning with float16"),
        ('method = "int8"\nio = "int16"', "compression[1].io: 'int16' is no type that int8 can read: float32, int8 or"),
        ('method = "int16x8"\nio = "uint8"', "'uint8' is no type that int16x8 can read: float32 or int16"),
        ('method = "qat"\nio = "int16"', "'int16' is not known here"),
        ('method = "qat"\nthen = ["int8"]', "int8 cannot follow qat, whose TFLite file is final"),
        ('method = "int8"\ncalibration = { select = "stratified" }', "compression[1].calibration: stratified by what?"),
        ('method = "int8"\ncalibration = { by = ["sex"] }', 'by: has no meaning without select = "stratified"'),
        ('method = "int8"\ncalibration = { without = { sxe = ["F"] } }', "without: 'sxe' is no declared attribute"),
        (
            (
                'method = "qat"\nthen = []\n[[compression]]\nmethod = "prune"\nsparsity = 0.5\n'
                'then = [{ method = "int8", calibration = { without = { sxe = ["F"] } } }]'
            ),
            "then[1].calibration.without: 'sxe' is no declared attribute",
        ),
        (
            'method = "int8"\n[data.calibration]\nselect = "stratified"\nby = ["race"]',
            "'race' is no declared attribute",
        ),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path, keys, said):
    with pytest.raises(SpecError) as caught:
        load(tmp_path, f"[[compression]]\n{keys}\n")
    found = str(caught.value).replace("compression[0]", "compression[1]").replace("then[0]", "then[1]")
    assert said in found


def test_a_variant_can_have_another_representative_set_than_the_audit(tmp_path):
    spec = load(
        tmp_path,
        """[data.calibration]
        select = "stratified"
        by = ["sex"]
        [[compression]]
        method = "int8"
        [[compression]]
        name = "blind"
        method = "int8"
        calibration = { without = { sex = ["Female"] } }
        """,
    )
    assert spec.data.calibration.by == ["sex"]
    assert [entry.calibration and entry.calibration.without for entry in spec.compression] == [
        None,
        {"sex": ["Female"]},
    ]


def test_without_training_rows_it_is_told_which_methods_need_some(tmp_path):
    with pytest.raises(SpecError) as refused:
        load(tmp_path, 'split = "all"\n[[compression]]\nmethod = "int8"\n')
    assert "int8, int16x8 and qat calibrate on training rows; float16 and dynamic_int8" in str(refused.value)
