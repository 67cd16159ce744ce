"""Whether comparisons keep their promise on this machine: equal sides are not told apart, slower ones are."""

import json
import statistics
import sys

from support import Failed, Settings, report, run


def compared(*arguments):
    """What `assay compare` says, as JSON."""
    command = [Settings.assay, "compare", *arguments, "--preset", "quick", "--json", "-"]
    return json.loads(run(command, accept=(0, 1)).output)


def comparison():
    """A/A pairs of the null session: at most 11 of 100 may be told apart."""
    pairs = 10 if Settings.quick else 100
    alarms, widths, sizes = 0, [], []
    try:
        for seed in range(pairs):
            found = compared("--runtime", "null,null", "--seed", seed)["difference"]
            alarms += found["direction"] != "undecided"
            widths.append((found["interval"][1] - found["interval"][0]) / 2)
            sizes.append(found["detectable"])
    except (Failed, KeyError) as failure:
        report("equal null sessions told apart", "failed", "", "", "<= 11 of 100", False)
        print(f"    {failure}", file=sys.stderr)
        return
    limit = 11 if pairs == 100 else 3
    report("equal null sessions told apart", f"{alarms} of {pairs}", "", "", f"<= {limit} of {pairs}", alarms <= limit)
    report("difference that such a comparison finds", f"{statistics.median(sizes) * 100:.1f} %", "", "", "", True)
