"""Serves the model, in batch transforms and behind endpoints: text/csv in, one number a line out."""

import csv
import json
from pathlib import Path


def model_fn(model_dir: str) -> list[float]:
    """The weights."""
    weights: list[float] = json.loads((Path(model_dir) / "weights.json").read_text())
    return weights


def input_fn(body: str | bytes, content_type: str) -> list[list[float]]:
    """The features of abalones, one a line."""
    if not content_type.startswith("text/csv"):
        raise ValueError(f"`{content_type}` is not text/csv")
    text = body.decode() if isinstance(body, bytes) else body
    return [[float(each) for each in row] for row in csv.reader(text.splitlines())]


def predict_fn(rows: list[list[float]], weights: list[float]) -> list[float]:
    """The rings of each."""
    return [sum(w * x for w, x in zip(weights, row, strict=True)) for row in rows]


def output_fn(rings: list[float], _accept: str) -> tuple[str, str]:
    """One number a line."""
    return "".join(f"{each:.2f}\n" for each in rings), "text/csv"
