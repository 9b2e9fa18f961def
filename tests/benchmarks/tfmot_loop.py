"""What a practitioner writes: prune_low_magnitude and fit, one member after another. Prints JSON.

`python tfmot_loop.py FOLDER MEMBERS EPOCHS SPARSITY…`: the folder holds the arrays train_x, train_y and test_x; rows of
numbers get dense layers, images convolutions; sparsity 0 is unpruned.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import tf_keras  # noqa: TID253 - no part of auditor: the other side
from tensorflow_model_optimization.sparsity import keras as sparsity  # noqa: TID253

folder, members, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
train_x, train_y, test_x = (np.load(folder / f"{name}.npy") for name in ("train_x", "train_y", "test_x"))
steps = epochs * -(-len(train_x) // 128)


def network():
    layers, dense = [tf_keras.layers.InputLayer(train_x.shape[1:])], (64, 32)
    if train_x.ndim > 2:
        dense = (64,)
        for filters in (16, 32, 64):
            layers.append(tf_keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
            layers.append(tf_keras.layers.MaxPooling2D(2, padding="same"))
        layers.append(tf_keras.layers.Flatten())
    layers += [tf_keras.layers.Dense(units, "relu") for units in dense]
    return tf_keras.Sequential([*layers, tf_keras.layers.Dense(2, "softmax")])


found = {}
for share in map(float, sys.argv[4:]):
    seconds, decisions = 0.0, []
    for seed in range(members):
        start = time.perf_counter()
        tf_keras.utils.set_random_seed(seed)
        model, callbacks = network(), []
        if share:
            begin, end = steps // 5, steps * 3 // 4
            often = max(1, min(100, (end - begin) // 20))  # with its default, 100, so short a training prunes less
            schedule = sparsity.PolynomialDecay(0.0, share, begin, end, frequency=often)
            model = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
            callbacks = [sparsity.UpdatePruningStep()]
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(train_x, train_y, batch_size=128, epochs=epochs, verbose=0, callbacks=callbacks)
        model = sparsity.strip_pruning(model)
        seconds += time.perf_counter() - start
        decisions.append(model.predict(test_x, batch_size=4096, verbose=0).argmax(axis=1).tolist())
    found[f"{share:g}"] = {"seconds": seconds, "decisions": decisions}
print(json.dumps(found))
