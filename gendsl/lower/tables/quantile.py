"""Numbers in, their quantiles in -1..1 out: evenly spread, however they were."""

from dataclasses import dataclass

import numpy as np

from gendsl.lower.tables.encoding import Codes

_MOST = 1_000  # quantiles


@dataclass(frozen=True)
class Quantile:
    """x becomes 2 F(x) - 1, F the training rows' distribution function, linear between its `quantiles`, evenly many.

    As scikit-learn's QuantileTransformer has it, x that stands for several quantiles is in their middle. What lies
    beyond the training rows' least and greatest comes back as these.
    """

    quantiles: tuple[float, ...]

    @property
    def width(self) -> int:
        return 1

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        at = np.array(self.quantiles)
        share = self._shares()
        up, down = np.interp(codes, at, share), -np.interp(-codes, -at[::-1], -share[::-1])
        out: Codes = (up + down - 1)[:, None]
        return out

    def decode(self, values: Codes) -> Codes:
        out: Codes = np.interp((values[:, 0] + 1) / 2, self._shares(), np.array(self.quantiles))
        return out

    def _shares(self) -> Codes:
        return np.linspace(0.0, 1.0, len(self.quantiles))


def quantile_of(codes: Codes) -> Quantile:
    """Fitted to codes (n,), at 1,000 quantiles or one a row."""
    if not len(codes):
        return Quantile((0.0, 0.0))
    from sklearn.preprocessing import QuantileTransformer

    fit = QuantileTransformer(n_quantiles=max(2, min(_MOST, len(codes))), subsample=None)
    if len(codes) == 1:
        return Quantile((float(codes[0]),) * 2)
    fit.fit(codes[:, None])
    return Quantile(tuple(fit.quantiles_[:, 0].tolist()))
