# SPDX-License-Identifier: Apache-2.0
"""What a back end must receive of sdks/recording.json, in the form of otlp_records.py."""
import bisect
import math

# The specification's default boundaries of a histogram.
BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
STATUS = {"ok": 1, "error": 2}


def value(kind, plain):
    if kind == "map":
        return "map", attributes(plain)
    if kind.endswith("s"):
        return "array", [(kind[:-1], inner) for inner in plain]
    return kind, plain


def attributes(triples):
    return {key: value(kind, plain) for key, kind, plain in triples}


def spans(recording, ids):
    """By name. `ids` are those that the SDK gave: name to [trace id, span id]."""
    epoch = recording["epoch_seconds"] * 10**9
    found = {}
    for entry in recording["spans"]:
        status, text = entry.get("status", ["", ""])
        found[entry["name"]] = {
            "name": entry["name"], "kind": KINDS[entry["kind"]], "trace_id": ids[entry["name"]][0], "span_id": ids[entry["name"]][1],
            "parent": ids[entry["parent"]][1] if "parent" in entry else "", "start": epoch + entry["start"], "end": epoch + entry["end"],
            "attributes": attributes(entry["attributes"]), "status": (STATUS.get(status, 0), text),
            "events": [(event["name"], epoch + event["at"], attributes(event["attributes"])) for event in entry.get("events", [])],
            "links": [(*ids[link["to"]], attributes(link["attributes"])) for link in entry.get("links", [])], "dropped": 0}
        if "parent" in entry:
            assert ids[entry["name"]][0] == ids[entry["parent"]][0]
    for n in range(recording["many_spans"]):
        trace_id, span_id = ids[f"item {n}"]
        found[f"item {n}"] = {
            "name": f"item {n}", "kind": 1, "trace_id": trace_id, "span_id": span_id, "parent": "", "start": epoch + n,
            "end": epoch + n + 1, "attributes": {"n": ("int", n)}, "status": (0, ""), "events": [], "links": [], "dropped": 0}
    return found


def logs(recording, ids):
    epoch = recording["epoch_seconds"] * 10**9
    found = []
    for entry in recording["logs"]:
        trace_id, span_id = ids[entry["span"]] if "span" in entry else ("", "")
        found.append({"at": epoch + entry["at"], "severity": tuple(entry["severity"]), "body": value(*entry["body"]),
                      "attributes": attributes(entry["attributes"]), "trace_id": trace_id, "span_id": span_id, "dropped": 0})
    for n in range(recording["many_logs"]):
        found.append({"at": epoch + n, "severity": (9, "INFO"), "body": ("string", f"line {n}"), "attributes": {"n": ("int", n)},
                      "trace_id": "", "span_id": "", "dropped": 0})
    return found


def series_of(entry):
    """The recorded values of an instrument by their attributes, in order: [(attributes, [value])]."""
    found = []
    for plain, triples in entry["records"]:
        own = attributes(triples)
        for known, values in found:
            if known == own:
                values.append(plain)
                break
        else:
            found.append((own, [plain]))
    return found


def histogram(values):
    buckets = [0] * (len(BOUNDS) + 1)
    for plain in values:
        buckets[bisect.bisect_left(BOUNDS, plain)] += 1
    return {"count": len(values), "sum": sum(values), "min": min(values), "max": max(values), "bounds": BOUNDS, "buckets": buckets}


def exponential(values, scale):
    """At the scale that the SDK chose, which is its own business."""
    buckets = {}
    for plain in filter(None, values):
        index = math.ceil(math.log2(plain) * 2**scale) - 1
        buckets[index] = buckets.get(index, 0) + 1
    return {"count": len(values), "sum": sum(values), "min": min(values), "max": max(values), "zeros": values.count(0),
            "scale": scale, "buckets": buckets}


def metric(entry, received):
    """`received` is the record to compare with, for the scale of an exponential histogram."""
    kind = entry["kind"].removeprefix("observable_")
    shape = {"counter": "sum", "up_down_counter": "sum"}.get(kind, kind)
    expected = {"name": entry["name"], "unit": entry["unit"], "description": entry["description"], "kind": shape, "points": []}
    if shape == "sum":
        expected["monotonic"] = kind == "counter"
    if shape != "gauge":
        expected["cumulative"] = True
    for own, values in series_of(entry):
        if shape == "histogram":
            point = histogram(values)
        elif shape == "exponential_histogram":
            point = exponential(values, received["points"][0][1]["scale"])
        else:
            point = (entry["number"], sum(values) if shape == "sum" else values[-1])
        expected["points"].append((own, point))
    return expected


UNITS = {"By": "_bytes", "s": "_seconds", "Cel": "_celsius"}


def prometheus(recording):
    """The samples that Prometheus must hold: {(name, labels as sorted items): value}."""
    found = {}
    for entry in recording["metrics"]:
        kind = entry["kind"].removeprefix("observable_")
        name = entry["name"] + UNITS.get(entry["unit"], "")
        if kind == "gauge" and entry["unit"] == "1":
            name += "_ratio"
        for own, values in series_of(entry):
            labels = tuple(sorted((key, str(plain).lower() if kind_of == "bool" else str(plain)) for key, (kind_of, plain) in own.items()))
            if kind.endswith("histogram"):
                found[name + "_count", labels] = len(values)
                found[name + "_sum", labels] = sum(values)
                for bound in BOUNDS if kind == "histogram" else []:
                    found[name + "_bucket", tuple(sorted((*labels, ("le", str(bound)))))] = sum(plain <= bound for plain in values)
                found[name + "_bucket", tuple(sorted((*labels, ("le", "+Inf"))))] = len(values)
            elif kind == "gauge":
                found[name, labels] = values[-1]
            else:
                found[name + ("_total" if kind == "counter" else ""), labels] = sum(values)
    return found
