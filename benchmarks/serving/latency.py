"""Figures of many requests: percentiles, when requests arrive, how memory grows."""

import numpy as np

PERCENTILES = {"p50_ms": 0.5, "p99_ms": 0.99, "p99.9_ms": 0.999, "max_ms": 1.0}


def percentiles(seconds):
    """Returns milliseconds by name, each the latency of a request; {} of none."""
    if not len(seconds):
        return {}
    found = np.quantile(seconds, [*PERCENTILES.values()], method="inverted_cdf")
    return dict(zip(PERCENTILES, (1e3 * found).round(3).tolist(), strict=True))


def arrivals(rate, seconds, seed=0):
    """Draws when requests come that know nothing of one another.

    Args:
        rate: how many a second, on average.
        seconds: how long they come.
        seed: of the draw.

    Returns:
        float `[requests]`, seconds from the beginning, rising.
    """
    generator = np.random.default_rng(seed)
    count = int(rate * seconds + 10 * (rate * seconds) ** 0.5 + 10)
    times = generator.exponential(1 / rate, count).cumsum()
    return times[times < seconds]


def slope(requests, megabytes):
    """Returns megabytes per 1 000 requests, by least squares; 0 if there are none."""
    thousands = np.array(requests) / 1e3 - np.mean(requests) / 1e3
    spread = (thousands**2).sum()
    return float((thousands * megabytes).sum() / spread) if spread else 0.0
