"""Training and scoring alone, by the auditor's own functions: no store, no numbers, no report.

Prints seconds, and seconds of a processor.

`python bare.py INPUTS MEMBERS EPOCHS SPARSITY…`: the folder holds materialised inputs; sparsity 0 is unpruned.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from auditor.compress import compressor
from auditor.compress.prune import plan_pruning
from auditor.data.inputs import read_inputs, to_float
from auditor.models.architectures import build
from auditor.population.train import total_steps, train
from auditor.spec import Prune, Training
from auditor.tf import seed  # noqa: TID253 - a program of its own, that does nothing else

inputs = read_inputs(Path(sys.argv[1]))
members, epochs, shares = int(sys.argv[2]), int(sys.argv[3]), [float(share) for share in sys.argv[4:]]
training = {**Training(epochs=epochs).model_dump(mode="json"), "examples": len(inputs.train_x)}
steps = total_steps(len(inputs.train_x), training)
start, worked = time.perf_counter(), time.process_time()
for share in shares:
    for member in range(members):
        seed(member)
        model = build("cnn", inputs.train_x.shape[1:], 2, {})
        if share:
            recipe = plan_pruning(Prune(method="prune", sparsity=share), steps, "")
            family = compressor(recipe)
            model = family.prepare(model)
        train(model, inputs, training, "softmax", member)
        if share:
            family.finish(model, to_float(inputs.calibration_x, inputs))
        for first in range(0, len(inputs.test_x), 1024):
            model(to_float(inputs.test_x[first : first + 1024], inputs), training=False)
print(time.perf_counter() - start, time.process_time() - worked)
