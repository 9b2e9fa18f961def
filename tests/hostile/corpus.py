"""All hostile files."""

from __future__ import annotations

from hostile import archives, hdf5, keras, protobuf, tflite

FILES = (*keras.FILES, *hdf5.FILES, *archives.FILES, *tflite.FILES, *protobuf.FILES)
