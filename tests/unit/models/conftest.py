from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def keras():
    """tf_keras, set up as the auditor does it."""
    from auditor.tf import load

    return load().tf_keras


@pytest.fixture(scope="session")
def small(keras):
    """A model of 6 inputs and 2 classes with random weights; one layer is large enough for dynamic int8."""
    from auditor.models.architectures import build
    from auditor.tf import seed

    seed(3)
    return build("mlp", (6,), 2, {"hidden": [48, 32]})


@pytest.fixture(scope="session")
def saved(small, tmp_path_factory):
    """The folder of the same model as .keras and .h5."""
    from auditor.models.load import keras_bytes
    from auditor.tf import quiet

    folder = tmp_path_factory.mktemp("models")
    (folder / "small.keras").write_bytes(keras_bytes(small))
    with quiet():
        small.save(folder / "small.h5")
    return folder
