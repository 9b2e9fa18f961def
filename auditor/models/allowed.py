"""What the configuration of an ordinary Keras model may name, in tf_keras and in Keras 3. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LAYERS = """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D
    AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D
    Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Flatten GRU
    GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Identity InputLayer LSTM LSTMCell
    LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxPooling1D MaxPooling2D MaxPooling3D
    Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute RNN RandomBrightness RandomContrast
    RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom ReLU RepeatVector
    Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax SpatialDropout1D
    SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract ThresholdedReLU TimeDistributed
    UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
LAYERS = frozenset(_LAYERS.split())
MODELS = frozenset({"Sequential", "Functional", "Model"})
ACTIVATIONS = frozenset(  # each looks at one example alone
    {
        "elu",
        "exponential",
        "gelu",
        "hard_sigmoid",
        "linear",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "softmax",
        "softplus",
        "softsign",
        "swish",
        "silu",
        "tanh",
        "leaky_relu",
    }
)
INITIALIZERS = frozenset(
    {
        "Constant",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "Identity",
        "LecunNormal",
        "LecunUniform",
        "Ones",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    }
)
REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "RadialConstraint", "UnitNorm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The words of one Keras."""

    classes: frozenset[str]
    """Kinds of objects."""
    modules: frozenset[str]
    """Where they may come from."""
    activations: frozenset[str]
    operators: Mapping[str, frozenset[str]]
    """Modules of operators on tensors, and the operators of each."""
    settings: Mapping[str, frozenset[str]]
    """Settings that name a function or an object by a word alone: how the key ends, and the words allowed."""


def _plain(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.replace("_", "").lower() for name in names)


def _settings(activations: frozenset[str], layers: frozenset[str]) -> dict[str, frozenset[str]]:
    return {
        "activation": _plain(activations | layers),
        "initializer": _plain({*INITIALIZERS, "zero", "one", "normal", "uniform"}),
        "regularizer": _plain(REGULARIZERS),
        "constraint": _plain(CONSTRAINTS),
    }


_PARTS = ("layers", "initializers", "regularizers", "constraints", "activations")
_OBJECTS = MODELS | INITIALIZERS | REGULARIZERS | CONSTRAINTS
TF_KERAS = Dialect(
    classes=LAYERS | _OBJECTS | {"Policy", "__tuple__", "TensorShape"},
    modules=frozenset(
        {"builtins", "keras", "tf_keras"}
        | {f"{root}.{part}" for root in ("keras", "tf_keras") for part in (*_PARTS, "mixed_precision", "models")}
        | {
            f"{root}.src.engine.{part}"
            for root in ("keras", "tf_keras")
            for part in ("functional", "sequential", "training")
        }
    ),
    activations=ACTIVATIONS,
    operators={},
    settings=_settings(ACTIVATIONS, LAYERS),
)

_ACTIVATIONS3 = ACTIVATIONS | {
    "celu", "glu", "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid", "log_softmax", "soft_shrink",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold",
}  # fmt: skip
_LAYERS3 = LAYERS | {"GroupedQueryAttention", "LayerScale", "RMSNormalization", "ReversibleEmbedding"}
_ON_NUMBERS = """
    Abs Absolute Add Amax Amin Argmax Argmin Clip Concatenate Cos Divide Dot Einsum Equal Exp ExpandDims Flip FullLike
    GetItem Greater GreaterEqual Less LessEqual Log LogicalAnd LogicalNot LogicalOr Log1p Matmul Max Maximum Mean Min
    Minimum Moveaxis Multiply Negative NotEqual OnesLike Pad Power Prod Ravel Reciprocal Repeat Reshape Roll Round Sign
    Sin Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take TakeAlongAxis Tanh Tile Transpose Tril Triu
    TrueDivide Var Where ZerosLike
"""
_ON_NEURONS = """
    AveragePool BatchNorm Celu Conv Elu Gelu Glu HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid LogSoftmax MaxPool
    Moments Normalize OneHot Relu Relu6 RMSNorm Selu Sigmoid Silu SoftShrink Softmax Softplus Softsign SquarePlus Tanh
"""
KERAS3 = Dialect(
    classes=_LAYERS3
    | _OBJECTS
    | {"DTypePolicy", "__keras_tensor__", "__tuple__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"},
    modules=frozenset(
        {"builtins", "keras", "keras.models", "keras.src.models.functional", "keras.src.models.sequential"}
        | {f"keras.{part}" for part in _PARTS}
    ),
    activations=_ACTIVATIONS3,
    operators={
        "keras.src.ops.numpy": frozenset(_ON_NUMBERS.split()),
        "keras.src.ops.nn": frozenset(_ON_NEURONS.split()),
        "keras.src.ops.core": frozenset({"Cast", "Shape", "Slice"}),
        "keras.src.ops.math": frozenset({"Logsumexp", "Rsqrt", "TopK", "SegmentSum", "Erf"}),
    },
    settings=_settings(_ACTIVATIONS3, _LAYERS3),
)
