"""Times as the API has them."""

from l4d.stats.distribution import Distribution


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def spread(times: Distribution) -> dict[str, float] | None:
    """How long it took, in milliseconds; None, if it never happened."""
    if not times.count:
        return None
    return {
        "mean": milliseconds(times.mean),
        "p50": milliseconds(times.quantile(0.5)),
        "p99": milliseconds(times.quantile(0.99)),
    }
