"""Training in script mode: least squares with a ridge, in plain Python.

The archive of the model gets `code/inference.py` too, with which it is served.
"""

import argparse
import csv
import json
import os
import shutil
from pathlib import Path

Rows = list[list[float]]


def main() -> None:
    """Fit the channel `train`, judge by `validation`, write weights.json and code/inference.py."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ridge", type=float, default=0.0)
    ridge = parser.parse_args().ridge
    weights = fitted(read("train"), ridge)
    for channel in ("train", "validation"):
        errors = [predicted(weights, row[1:]) - row[0] for row in read(channel)]
        print(f"{channel}-mse={sum(error**2 for error in errors) / len(errors):.4f};")
    model = Path(os.environ["SM_MODEL_DIR"])
    (model / "weights.json").write_text(json.dumps(weights))
    (model / "code").mkdir()
    shutil.copy(Path(__file__).with_name("inference.py"), model / "code")


def read(channel: str) -> Rows:
    """The rows of a channel, the label first."""
    path = Path(os.environ[f"SM_CHANNEL_{channel.upper()}"]) / f"{channel}.csv"
    with path.open() as file:
        return [[float(each) for each in row] for row in csv.reader(file)]


def fitted(rows: Rows, ridge: float) -> list[float]:
    """The weights for which (X'X + ridge) w = X'y, by elimination."""
    size = len(rows[0]) - 1
    system = [
        [
            *(sum(row[i + 1] * row[j + 1] for row in rows) + ridge * (i == j) for j in range(size)),
            sum(row[i + 1] * row[0] for row in rows),
        ]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(system[k][i]))
        system[i], system[pivot] = system[pivot], system[i]
        for k in range(size):
            if k != i:
                factor = system[k][i] / system[i][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i], strict=True)]
    return [system[i][size] / system[i][i] for i in range(size)]


def predicted(weights: list[float], features: list[float]) -> float:
    """The rings that the model expects."""
    return sum(weight * each for weight, each in zip(weights, features, strict=True))


if __name__ == "__main__":
    main()
