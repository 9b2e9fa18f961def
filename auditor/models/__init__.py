"""Models: architectures to train, and files that other people made, looked at before they are opened."""

from __future__ import annotations

from typing import Any

KerasModel = Any
"""A tf_keras.Model; tf_keras publishes no types."""
