"""Training in script mode: the stopping distance as a multiple of a power of the speed."""

import argparse
import csv
import json
import os
from pathlib import Path


def main() -> None:
    """Fit the cars of the channel `train`, and write model.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--power", type=float, required=True)
    power = parser.parse_args().power
    with (Path(os.environ["SM_CHANNEL_TRAIN"]) / "train.csv").open() as file:
        cars = [(float(row["speed_mph"]) ** power, float(row["distance_ft"])) for row in csv.DictReader(file)]
    factor = sum(x * y for x, y in cars) / sum(x * x for x, _ in cars)
    error = sum((factor * x - y) ** 2 for x, y in cars) / len(cars)
    print(f"train-mse={error:.2f};")
    model = {"factor": factor, "power": power}
    (Path(os.environ["SM_MODEL_DIR"]) / "model.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main()
