"""A training job for XGBoost's algorithm mode, with data that it can learn from."""

import importlib.util
import random
import sys
from typing import Any

from tests.runtimes.programs.training_folder import PROGRAMS, Seen, TrainingFolder, python_of

PROGRAM = PROGRAMS / "xgboost_mode.py"
VARIABLE = "PASSROLE_XGBOOST_PYTHON"
PYTHON = python_of(VARIABLE) or (sys.executable if importlib.util.find_spec("xgboost") else None)
CSV = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
SMALL = {"num_round": "5", "objective": "reg:linear", "max_depth": "3"}


def rows(count: int, seed: int, separator: str = ",") -> str:
    """A label and four features, on which the label depends."""
    chance = random.Random(seed)
    features = [[chance.random() for _ in range(4)] for _ in range(count)]
    return "".join(separator.join(f"{v:.4f}" for v in [3 * row[0] + row[1], *row]) + "\n" for row in features)


def placed(folder: TrainingFolder, hyperparameters: Any = None, **files: str) -> TrainingFolder:
    """Channels by name, each of one file of CSV."""
    folder.configure(
        SMALL if hyperparameters is None else hyperparameters, channels=dict.fromkeys(files, CSV)
    )
    for channel, text in files.items():
        (folder.base / "input/data" / channel / "part-0.csv").write_text(text)
    return folder


def run(folder: TrainingFolder, tag: str = "1.7-1", python: str | None = PYTHON) -> Seen:
    return folder.run([python or sys.executable, str(PROGRAM), "--tag", tag])
