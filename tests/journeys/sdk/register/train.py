"""A mean, in script mode; what it prints is the metric."""

import argparse
import json
import os
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
arguments, _ = parser.parse_known_args()

lines = (pathlib.Path(arguments.train) / "numbers.csv").read_text().splitlines()
numbers = [float(line) for line in lines]
mean = sum(numbers) / len(numbers)
print(f"validation-mse={sum((each - mean) ** 2 for each in numbers) / len(numbers):.4f};")
(pathlib.Path(arguments.model_dir) / "mean.json").write_text(json.dumps(mean))
