"""Pictures, others and draws in, their mixtures out: mixup.

Source: Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization, section 2.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_QUANTILES = 1 << 14  # of the Beta distribution, each as likely; a draw is one of them


def mixed(arguments: Mapping[str, Any], images: Any, others: Any, uniform: Any) -> Any:
    """share * images + (1 - share) * others, (batch, h, w, c), by a share from Beta(alpha, alpha) an example.

    The first of the uniform numbers (batch, 4) draws it."""
    quantiles = tf.constant(_quantiles(float(arguments["alpha"])))
    share = tf.gather(quantiles, tf.cast(uniform[:, 0] * _QUANTILES, tf.int32))[:, None, None, None]
    return share * images + (1 - share) * others


def _quantiles(alpha: float) -> Any:
    """The quantiles float32 of Beta(alpha, alpha) in the middle of as many equal parts of 0..1."""
    from scipy.special import betaincinv

    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return betaincinv(alpha, alpha, middles).astype(np.float32)
