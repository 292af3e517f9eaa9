"""A PyTorch module in, the same with Keras's first weights out, so that both sides start alike."""

from torch import nn

KERNELS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def as_keras(module: nn.Module) -> nn.Module:
    """Glorot's uniform kernels, zero biases, and uniform embeddings."""
    for layer in module.modules():
        if isinstance(layer, KERNELS):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding):
            nn.init.uniform_(layer.weight, -0.05, 0.05)
    return module
