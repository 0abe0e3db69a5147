"""Processing: abalones as measured, to features with the label first, in three parts and a batch."""

import argparse
import csv
from pathlib import Path

BASE = Path("/opt/ml/processing")
SEXES = ("M", "F", "I")


def main() -> None:
    """Write train.csv, validation.csv, test.csv and, without the label, batch.csv."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-share", type=float, default=0.7)
    share = parser.parse_args().train_share
    with (BASE / "input" / "data" / "abalone.csv").open() as file:
        rows = [features(row) for row in csv.reader(file)]
    first, second = int(len(rows) * share), int(len(rows) * (1 + share) / 2)
    parts = {"train": rows[:first], "validation": rows[first:second], "test": rows[second:]}
    parts["batch"] = [row[1:] for row in parts["test"]]
    for name, part in parts.items():
        with (BASE / name / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(part)
        print(f"{name}: {len(part)} abalones")


def features(row: list[str]) -> list[str]:
    """The rings, the measures, and a 1 for the sex."""
    sex, *measures, rings = row
    return [rings, *measures, *("1" if sex == each else "0" for each in SEXES)]


if __name__ == "__main__":
    main()
