"""Draws grouped bars on a logarithmic scale, from JSON on standard input:
{"title", "unit", "groups": [name], "bars": {name: [value]}, "file"}."""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "bars"  # the same figures produce the same file
from matplotlib import pyplot  # noqa: E402

given = json.load(sys.stdin)
groups, bars = given["groups"], given["bars"]
figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
width = 0.8 / len(bars)
for place, (name, values) in enumerate(bars.items()):
    at = [number + (place - (len(bars) - 1) / 2) * width for number in range(len(groups))]
    drawn = axes.bar(at, values, width, label=name)
    axes.bar_label(drawn, fmt="{:.1f}", fontsize=7)
axes.set_yscale("log")
axes.set_ylabel(given["unit"])
axes.set_title(given["title"])
axes.set_xticks(range(len(groups)), groups)
axes.legend(fontsize=7)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig(given["file"], metadata={"Date": None})
