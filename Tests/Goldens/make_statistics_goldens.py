"""Writes Tests/Fixtures/statistics.json: distributions, tests and bootstrap intervals as SciPy computes them.

Run with Python 3.11, numpy and scipy of the versions that the file names. Takes a few seconds.
"""

import json
import pathlib

import numpy
import scipy
from scipy import stats

OUT = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "statistics.json"

# Annual flow of the Nile at Aswan, 1871-1970 (Cobb 1978): the change of 1899 is the textbook example.
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]


def pettitt(values):
    values = numpy.asarray(values, float)
    n = len(values)
    ranks = stats.rankdata(values)
    u = 2 * numpy.cumsum(ranks)[:-1] - numpy.arange(1, n) * (n + 1)
    at = int(numpy.argmax(numpy.abs(u)))
    k = float(abs(u[at]))
    return {"index": at + 1, "statistic": k, "probability": min(1.0, 2 * float(numpy.exp(-6 * k * k / (n**3 + n**2))))}


def trimmed(values, trim):
    values = numpy.asarray(values, float)
    winsorized = numpy.asarray(stats.mstats.winsorize(values, limits=(trim, trim)))
    cut = int(trim * len(values))
    kept = len(values) - 2 * cut
    error = numpy.std(winsorized, ddof=1) / ((kept / len(values)) * numpy.sqrt(len(values)))
    return {"trim": trim, "value": float(stats.trim_mean(values, trim)), "error": float(error)}


def bootstrap(data, statistic, method, paired=False):
    result = stats.bootstrap(
        data, statistic, n_resamples=200_000, method=method, paired=paired, vectorized=True,
        batch=2000, random_state=numpy.random.default_rng(1))
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]


random = numpy.random.default_rng(5)
skewed = [round(float(v), 3) for v in random.lognormal(3, 0.5, 40)]
other = [round(float(v), 3) for v in random.lognormal(3.2, 0.4, 30)]

golden = {
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
    "normal": [[p, float(stats.norm.ppf(p))] for p in (1e-10, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.995)],
    "student": [[p, f, float(stats.t.ppf(p, f))] for p in (0.6, 0.95, 0.975, 0.999) for f in (1, 2.5, 5, 11, 60, 1000)],
    "binomial": [[k, n, p, float(stats.binom.cdf(k, n, p))]
                 for k, n, p in ((0, 44, 0.1), (1, 64, 0.1), (3, 10, 0.5), (90, 100, 0.9), (10, 2010, 0.01),
                                 (100, 12571, 0.01), (500_000, 1_000_000, 0.5), (26, 24576, 0.001))],
    "power": [[shift, c, f, float(1 - stats.nct.cdf(c, f, shift) + stats.nct.cdf(-c, f, shift))]
              for shift, c, f in ((0.0, 2.0, 5), (1.0, 2.2, 9), (3.0, 2.2, 9), (4.5, 4.3, 2), (3.2, 1.98, 200))],
    "nile": {"values": NILE, "pettitt": pettitt(NILE)},
    "skewed": skewed,
    "other": other,
    "trimmed": [trimmed(skewed, t) for t in (0.0, 0.1, 0.2)],
    "bootstrap": {
        "mean percentile": bootstrap((skewed,), lambda x, axis: numpy.mean(x, axis=axis), "percentile"),
        "mean bca": bootstrap((skewed,), lambda x, axis: numpy.mean(x, axis=axis), "BCa"),
        "ratio of means bca": bootstrap(
            (skewed, other), lambda x, y, axis: numpy.mean(y, axis=axis) / numpy.mean(x, axis=axis), "BCa"),
        "difference of medians percentile": bootstrap(
            (skewed, other), lambda x, y, axis: numpy.median(y, axis=axis) - numpy.median(x, axis=axis), "percentile"),
    },
    # P(B <= t) <= 0.01 with B binomial(n, 1 - p): the least n by SciPy.
    "earlyStopping": [
        [p, t, next(n for n in range(t + 1, 200_000) if stats.binom.cdf(t, n, 1 - p / 100) <= 0.01)]
        for p, t in ((50, 0), (50, 1), (50, 10), (90, 0), (90, 1), (90, 5), (95, 2), (99, 0), (99, 1), (99, 10))
    ],
}
OUT.write_text(json.dumps(golden, indent=1) + "\n")
print(OUT, OUT.stat().st_size, "bytes")
