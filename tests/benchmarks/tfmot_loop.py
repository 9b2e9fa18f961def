"""What a practitioner writes: prune_low_magnitude and fit, one member after another. Prints JSON.

`python tfmot_loop.py FOLDER MEMBERS SPARSITY…`: the folder holds the arrays train_x, train_y and test_x; 0 is unpruned.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import tf_keras  # noqa: TID253 - no part of auditor: the other side
from tensorflow_model_optimization.sparsity import keras as sparsity  # noqa: TID253

folder, members = Path(sys.argv[1]), int(sys.argv[2])
train_x, train_y, test_x = (np.load(folder / f"{name}.npy") for name in ("train_x", "train_y", "test_x"))
steps = 10 * -(-len(train_x) // 128)
found = {}
for share in map(float, sys.argv[3:]):
    seconds, decisions = 0.0, []
    for seed in range(members):
        start = time.perf_counter()
        tf_keras.utils.set_random_seed(seed)
        layers = [tf_keras.layers.Dense(n, "relu") for n in (64, 32)] + [tf_keras.layers.Dense(2, "softmax")]
        model = tf_keras.Sequential([tf_keras.layers.InputLayer(train_x.shape[1:]), *layers])
        callbacks = []
        if share:
            schedule = sparsity.PolynomialDecay(0.0, share, steps // 5, steps * 3 // 4)
            model = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
            callbacks = [sparsity.UpdatePruningStep()]
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(train_x, train_y, batch_size=128, epochs=10, verbose=0, callbacks=callbacks)
        model = sparsity.strip_pruning(model)
        seconds += time.perf_counter() - start
        decisions.append(model.predict(test_x, batch_size=4096, verbose=0).argmax(axis=1).tolist())
    found[f"{share:g}"] = {"seconds": seconds, "decisions": decisions}
print(json.dumps(found))
