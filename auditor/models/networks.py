"""The built-in networks: plain layers only, each of which TFMOT takes and the TFLite converter quantises.

Keyword arguments are the options of `[model]`. Convolutional networks read images [height, width, channels] of the
data's own size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.models import KerasModel

Tensor = Any
"""TensorFlow publishes no types."""

_SMALL = 64
"""Images with a side below it keep their size in the first layers of `resnet18`, as on CIFAR."""


def mlp(
    input_shape: Sequence[int], classes: int, *, hidden: Sequence[int] = (64, 32), dropout: float = 0.0
) -> KerasModel:
    """Dense layers with ReLU, then softmax over the classes."""
    layers = _layers()
    stack = [layers.InputLayer(tuple(input_shape))]
    if len(input_shape) > 1:
        stack.append(layers.Flatten())
    for units in hidden:
        stack.append(layers.Dense(units, activation="relu"))
        if dropout:
            stack.append(layers.Dropout(dropout))
    return _keras().Sequential([*stack, layers.Dense(classes, activation="softmax")])


def cnn(
    input_shape: Sequence[int], classes: int, *, filters: Sequence[int] = (16, 32, 64), dense: Sequence[int] = (64,)
) -> KerasModel:
    """Blocks of 3x3 convolution, ReLU and 2x2 pooling, then dense layers; for images [height, width, channels]."""
    _check_images(input_shape, 1)
    layers = _layers()
    stack = [layers.InputLayer(tuple(input_shape))]
    for count in filters:
        stack += [layers.Conv2D(count, 3, padding="same", activation="relu"), layers.MaxPooling2D(2, padding="same")]
    stack += [layers.Flatten(), *(layers.Dense(units, activation="relu") for units in dense)]
    return _keras().Sequential([*stack, layers.Dense(classes, activation="softmax")])


def resnet18(
    input_shape: Sequence[int],
    classes: int,
    *,
    width: int = 64,
    stem: Literal["imagenet", "cifar"] | None = None,
    batch_norm_momentum: float = 0.99,
) -> KerasModel:
    """ResNet-18 (He et al. 2015, arXiv 1512.03385); `width` filters in the first of four stages.

    The stem "imagenet" is a 7x7 convolution of stride 2 and a pooling, "cifar" a 3x3 convolution; by default the
    latter where a side of the images is below 64.
    """
    stem = stem or ("cifar" if min(input_shape[:2]) < _SMALL else "imagenet")
    if stem not in {"imagenet", "cifar"}:
        raise ValueError(f'stem is "imagenet" or "cifar", not {stem!r}')
    _check_images(input_shape, 8 if stem == "cifar" else 32)
    layers, momentum = _layers(), batch_norm_momentum
    image = layers.Input(tuple(input_shape))
    if stem == "cifar":
        x = _relu(_norm(_conv(image, width, 3, 1, "conv1_conv"), momentum, "conv1_bn"), "conv1_relu")
    else:
        x = _relu(_norm(_conv(image, width, 7, 2, "conv1_conv"), momentum, "conv1_bn"), "conv1_relu")
        x = layers.MaxPooling2D(3, 2, padding="same", name="pool1_pool")(x)
    for stage in range(4):
        for block in range(2):
            stride = 2 if stage and not block else 1
            x = _basic(x, width << stage, stride, momentum, f"conv{stage + 2}_block{block + 1}")
    return _classifier(image, x, classes, 0.0)


def wide_resnet(
    input_shape: Sequence[int],
    classes: int,
    *,
    depth: int = 28,
    width: int = 10,
    dropout: float = 0.0,
    batch_norm_momentum: float = 0.99,
) -> KerasModel:
    """Wide residual network for small images (Zagoruyko and Komodakis 2016, arXiv 1605.07146): WRN-depth-width.

    Three groups of (depth - 4) / 6 blocks with 16, 32 and 64 times `width` filters; `dropout` stands between the two
    convolutions of a block.
    """
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f"depth is 6n + 4: 10, 16, 22, 28, 34, 40, …, not {depth}")
    _check_images(input_shape, 8)
    layers, momentum = _layers(), batch_norm_momentum
    image = layers.Input(tuple(input_shape))
    x = _conv(image, 16, 3, 1, "conv1_conv")
    for group in range(3):
        for block in range((depth - 4) // 6):
            stride, name = 2 if group and not block else 1, f"conv{group + 2}_block{block + 1}"
            x = _wide(x, (16 << group) * width, stride, momentum, dropout, name)
    x = _relu(_norm(x, momentum, "post_bn"), "post_relu")
    return _classifier(image, x, classes, 0.0)


def resnet50(
    input_shape: Sequence[int], classes: int, *, dropout: float = 0.0, batch_norm_momentum: float = 0.99
) -> KerasModel:
    """ResNet-50 (He et al. 2015, arXiv 1512.03385), as tf_keras.applications has it."""
    _check_images(input_shape, 32)
    return _application("ResNet50", input_shape, classes, dropout, batch_norm_momentum)


def inception_v3(
    input_shape: Sequence[int], classes: int, *, dropout: float = 0.0, batch_norm_momentum: float = 0.99
) -> KerasModel:
    """Inception v3 (Szegedy et al. 2015, arXiv 1512.00567), as tf_keras.applications has it."""
    _check_images(input_shape, 75)
    return _application("InceptionV3", input_shape, classes, dropout, batch_norm_momentum)


def mobilenet_v2(
    input_shape: Sequence[int],
    classes: int,
    *,
    alpha: float = 1.0,
    dropout: float = 0.0,
    batch_norm_momentum: float = 0.99,
) -> KerasModel:
    """MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381), as tf_keras.applications has it; `alpha` is its width.

    Its authors' momentum of batch normalisation, .999, needs thousands of steps: it has to be asked for.
    """
    _check_images(input_shape, 32)
    return _application("MobileNetV2", input_shape, classes, dropout, batch_norm_momentum, alpha=alpha)


def _keras() -> Any:  # noqa: ANN401 - the module
    from auditor.tf import load

    return load().tf_keras


def _layers() -> Any:  # noqa: ANN401 - the module
    return _keras().layers


def _check_images(input_shape: Sequence[int], smallest: int) -> None:
    if len(input_shape) != 3:
        raise ValueError(
            f"it reads images [height, width, channels], the data has examples of shape {tuple(input_shape)}"
        )
    height, width, _ = input_shape
    if min(height, width) < smallest:
        raise ValueError(
            f"it reads images of {smallest} x {smallest} pixels or more, the data has {height} x {width}: "
            "data.preprocess.resize enlarges them"
        )


def _application(
    name: str, input_shape: Sequence[int], classes: int, dropout: float, momentum: float, **options: float
) -> KerasModel:
    """Build a network of tf_keras.applications, untrained, with a head of its own. Nothing is downloaded."""
    make = getattr(_keras().applications, name)
    base = make(include_top=False, weights=None, input_shape=tuple(input_shape), **options)
    for layer in base.layers:
        if isinstance(layer, _layers().BatchNormalization):
            layer.momentum = momentum
    return _classifier(base.input, base.output, classes, dropout)


def _classifier(image: Tensor, x: Tensor, classes: int, dropout: float) -> KerasModel:
    layers = _layers()
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return _keras().Model(image, layers.Dense(classes, activation="softmax", name="predictions")(x))


def _conv(x: Tensor, filters: int, size: int, stride: int, name: str) -> Tensor:
    start = "he_normal"
    make = _layers().Conv2D
    return make(filters, size, stride, padding="same", use_bias=False, kernel_initializer=start, name=name)(x)


def _norm(x: Tensor, momentum: float, name: str) -> Tensor:
    return _layers().BatchNormalization(momentum=momentum, epsilon=1e-5, name=name)(x)


def _relu(x: Tensor, name: str) -> Tensor:
    return _layers().Activation("relu", name=name)(x)


def _basic(x: Tensor, filters: int, stride: int, momentum: float, name: str) -> Tensor:
    """Two 3x3 convolutions beside what comes in, which is projected where its shape changes."""
    beside = x
    if stride != 1 or x.shape[-1] != filters:
        beside = _norm(_conv(x, filters, 1, stride, f"{name}_0_conv"), momentum, f"{name}_0_bn")
    x = _relu(_norm(_conv(x, filters, 3, stride, f"{name}_1_conv"), momentum, f"{name}_1_bn"), f"{name}_1_relu")
    x = _norm(_conv(x, filters, 3, 1, f"{name}_2_conv"), momentum, f"{name}_2_bn")
    return _relu(_layers().Add(name=f"{name}_add")([beside, x]), f"{name}_out")


def _wide(x: Tensor, filters: int, stride: int, momentum: float, dropout: float, name: str) -> Tensor:
    """The same with normalisation and ReLU before each convolution; a projection reads what these give."""
    ready = _relu(_norm(x, momentum, f"{name}_1_bn"), f"{name}_1_relu")
    beside = x if stride == 1 and x.shape[-1] == filters else _conv(ready, filters, 1, stride, f"{name}_0_conv")
    x = _conv(ready, filters, 3, stride, f"{name}_1_conv")
    x = _relu(_norm(x, momentum, f"{name}_2_bn"), f"{name}_2_relu")
    if dropout:
        x = _layers().Dropout(dropout, name=f"{name}_dropout")(x)
    return _layers().Add(name=f"{name}_add")([beside, _conv(x, filters, 3, 1, f"{name}_2_conv")])
