# SPDX-License-Identifier: Apache-2.0
"""One measured figure as one JSON line on standard output."""
import json
import os


def show(figure, value=None, *, at_most=None, at_least=None, **more):
    """`at_most` or `at_least` is the bar that the value is held against; without one it is only told."""
    line = {"figure": figure} if value is None else {"figure": figure, "value": value}
    if at_most is not None:
        line |= {"at_most": at_most, "met": value <= at_most}
    if at_least is not None:
        line |= {"at_least": at_least, "met": value >= at_least}
    print(json.dumps(line | more | {"machine_load": round(os.getloadavg()[0], 2)}), flush=True)
