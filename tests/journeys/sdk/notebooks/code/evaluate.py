"""How far the model is off on the rows of the test."""

import json
import pathlib
import tarfile

base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model" / "model.tar.gz") as tar:
    tar.extractall(base / "unpacked", filter="data")
slope = json.loads((base / "unpacked" / "slope.json").read_text())
rows = [list(map(float, line.split(","))) for line in (base / "test" / "rows.csv").read_text().splitlines()]
rmse = (sum((y - slope * x) ** 2 for y, x in rows) / len(rows)) ** 0.5
report = {"regression_metrics": {"rmse": {"value": rmse, "standard_deviation": "NaN"}}, "rows": len(rows)}
(base / "evaluation" / "evaluation.json").write_text(json.dumps(report))
