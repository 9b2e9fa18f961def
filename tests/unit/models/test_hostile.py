"""The corpus of hostile files, looked at in one process, which must not have imported what could open them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
from hostile.corpus import FILES
from hostile.files import canary

LOOK = """
import json, sys
from pathlib import Path
from auditor.errors import ModelError
from auditor.models import inspect
from auditor.models.hdf5 import check_hdf5, hdf5_config

def config(content, file):
    check_hdf5(content, file)
    return hdf5_config(content, file)

# The look at HDF5 bytes has a process of its own for each file; the tests of the look start it, and this one is many.
inspect.check_apart, inspect.config_apart = check_hdf5, config
said = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    ending = json.loads(sys.argv[2])[path.name]
    try:
        inspect.inspect_model(path.read_bytes(), ending, path.name)
        said[path.name] = None
    except ModelError as error:
        said[path.name] = str(error)
opened = sorted({"tensorflow", "tf_keras", "keras", "onnx"} & set(sys.modules))
print(json.dumps({"said": said, "opened": opened}))
"""


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """The folder of the corpus, what was said of each file, and what had been imported by then."""
    folder = tmp_path_factory.mktemp("hostile")
    endings = json.dumps({each.write(folder).name: each.ending for each in FILES})
    done = subprocess.run([sys.executable, "-c", LOOK, folder, endings], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return folder, json.loads(done.stdout)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.name}{file.ending}")
def test_a_hostile_file_is_refused_with_what_was_found_and_runs_nothing(file, looked):
    folder, found = looked
    path = folder / f"{file.name}{file.ending}"
    said = found["said"][path.name]
    assert said is not None, f"{file.does}, and nothing is said of it"
    assert file.said in said
    assert path.name in said
    assert not canary(path).exists()


def test_nothing_that_could_open_a_model_is_imported_by_then(looked):
    assert looked[1]["opened"] == []


def test_no_two_files_of_the_corpus_are_of_one_name_and_every_kind_is_there():
    assert Counter(f"{file.name}{file.ending}" for file in FILES).most_common(1)[0][1] == 1
    assert len(FILES) >= 150
    assert {file.ending for file in FILES} >= {".keras", ".h5", ".tflite"}
