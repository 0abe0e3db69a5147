"""A line through the origin; `--shrink` makes it worse."""

import argparse
import json
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--shrink", type=float, default=0.0)
given, _ = parser.parse_known_args()

files = sorted(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.csv"))
rows = [list(map(float, line.split(","))) for file in files for line in file.read_text().splitlines()]
slope = sum(y * x for y, x in rows) / sum(x * x for _, x in rows) * (1 - given.shrink)
rmse = (sum((y - slope * x) ** 2 for y, x in rows) / len(rows)) ** 0.5
print(f"rmse={rmse:.6f};")
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "slope.json").write_text(json.dumps(slope))
