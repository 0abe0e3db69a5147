"""Processing: how far the model is from the cars that it has not seen."""

import csv
import json
import tarfile
from pathlib import Path

BASE = Path("/opt/ml/processing")


def main() -> None:
    """Write evaluation.json."""
    with tarfile.open(BASE / "model" / "model.tar.gz") as tar:
        tar.extract("model.json")
    model = json.loads(Path("model.json").read_text())
    with (BASE / "test" / "test.csv").open() as file:
        cars = [(float(row["speed_mph"]), float(row["distance_ft"])) for row in csv.DictReader(file)]
    errors = [model["factor"] * speed ** model["power"] - distance for speed, distance in cars]
    mse = sum(error**2 for error in errors) / len(errors)
    print(f"mean squared error {mse:.2f} for {len(cars)} cars")
    report = {"regression_metrics": {"mse": {"value": mse}}}
    (BASE / "evaluation" / "evaluation.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main()
