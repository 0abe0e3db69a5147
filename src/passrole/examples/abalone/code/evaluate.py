"""Processing: how far the model is from the abalones that it has not seen."""

import csv
import json
import statistics
import tarfile
from pathlib import Path

BASE = Path("/opt/ml/processing")


def main() -> None:
    """Write evaluation.json."""
    with tarfile.open(BASE / "model" / "model.tar.gz") as tar:
        tar.extract("weights.json")
    weights = json.loads(Path("weights.json").read_text())
    with (BASE / "test" / "test.csv").open() as file:
        rows = [[float(each) for each in row] for row in csv.reader(file)]
    errors = [sum(w * x for w, x in zip(weights, row[1:], strict=True)) - row[0] for row in rows]
    mse = statistics.fmean(error**2 for error in errors)
    report = {"mse": {"value": mse, "standard_deviation": statistics.pstdev(errors)}}
    (BASE / "evaluation" / "evaluation.json").write_text(json.dumps({"regression_metrics": report}))
    print(f"mean squared error {mse:.2f} for {len(rows)} abalones")


if __name__ == "__main__":
    main()
