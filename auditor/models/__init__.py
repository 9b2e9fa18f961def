"""Models: architectures to train, and files that other people made, looked at before they are opened."""

from __future__ import annotations

from typing import Any

LARGEST = 8 << 30
"""Bytes of a model's file, which is read into memory whole."""
KerasModel = Any
"""A tf_keras.Model; tf_keras publishes no types."""
