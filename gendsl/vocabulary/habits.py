"""Words that people bring from Keras, PyTorch and Python, and what stands for them here: read only when one is met."""

from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import LayerWord

ARGUMENTS = {
    "activation": "put the activation behind the layer: `… | relu`",
    "kernel_size": "write `kernel:`",
    "filters": "the filters come first, without a name: `conv 64`",
    "out_channels": "the filters come first, without a name: `conv 64`",
    "units": "the units come first, without a name: `dense 64`",
    "strides": "write `stride:`",
    "use_bias": "write `bias: off`",
    "kernel_initializer": "write `init:`",
    "kernel_constraint": "write `constrain:`",
    "dilation_rate": "write `dilation:`",
    "input_shape": "shapes come from the network's inputs: `network d(x: image) -> …`",
    "input_dim": "shapes come from the network's inputs: `network d(x: image) -> …`",
    "name": "label the value instead: `conv 64 as h`",
    "lr": "write `learning_rate:`, or the rate first: `adam(2e-4)`",
    "betas": "write `beta_1: 0.5, beta_2: 0.999`",
    "num_heads": "write `heads:`",
    "batch_size": "write `batch 64` in `data`",
}
NAMES = {
    "true": "write `on`",
    "True": "write `on`",
    "false": "write `off`",
    "False": "write `off`",
    "None": "leave it out",
    "none": "leave it out",
    "null": "leave it out",
    "pi": "write 3.14159",
}
STATEMENTS = {
    "if": "there are no conditions: a `variant` names changes of params, a `phase` a stretch of the run",
    "for": "write `repeat 3 as i { … }`",
    "while": "write `repeat 3 { … }`, or `steps 10_000` for the length of the run",
    "def": "write `block name(filters) { … }`",
    "class": "write `network name(x: image) -> logits(1) { … }`",
    "model": "write `network name(x: image) -> logits(1) { … }`",
    "let": "write `name = value`",
    "const": "write `name = value`",
    "var": "write `param name = value`",
    "fit": "`gendsl run` trains what `train { }` says",
    "loss": "write `minimize …` in an update",
    "return": "the last value is the result; several are named by `output a, b`",
    "print": "`gendsl plan` shows what a spec comes to",
}
_LAYERS = {
    "Linear": "dense",
    "ConvTranspose2d": "up_conv",
    "BatchNorm2d": "batch_norm",
    "InstanceNorm2d": "instance_norm",
    "Upsample": "upsample",
    "UpSampling2D": "upsample",
    "fc": "dense",
    "linear_layer": "dense",
    "deconv": "up_conv",
    "conv_transpose": "up_conv",
    "transposed_conv": "up_conv",
    "bn": "batch_norm",
    "lrelu": "leaky_relu",
    "avg_pool": "average_pool",
    "maxpool": "max_pool",
    "embedding": "embed",
    "self_attention": "attention",
    "multi_head_attention": "attention",
}


def layer_meant(name: str) -> str | None:
    """The layer word for a class of Keras or PyTorch: `BatchNormalization` is `batch_norm`."""
    plain = name.rsplit(".", 1)[-1]
    if plain in _LAYERS:
        return _LAYERS[plain]
    for word in WORDS["layer"].values():
        if isinstance(word, LayerWord):
            built = word.keras.rpartition(":")[2]
            if plain.lower() in (built.lower(), built.replace("{rank}", "2").lower()) and plain[:1].isupper():
                return word.name
    return None


def split_digits(first: str, second: str) -> str | None:
    """`2_000` for `2` and `000`, which were parted by a comma."""
    if first.isdigit() and second.isdigit() and len(second) == 3 and len(first) <= 3:
        return f"{first}_{second}"
    return None
