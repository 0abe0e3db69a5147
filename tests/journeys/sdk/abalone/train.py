"""Least squares, in script mode: the weights of the features."""

import argparse
import os
import shutil

import numpy as np

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--ridge", type=float, default=0.0)
    parser.add_argument("--inference", type=str, help="the script that serves the model goes with it")
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--validation", type=str, default=os.environ["SM_CHANNEL_VALIDATION"])
    args, _ = parser.parse_known_args()

    def features(folder, name):
        rows = np.loadtxt(os.path.join(folder, name), delimiter=",")
        return rows[:, 0], np.column_stack((rows[:, 1:], np.ones(len(rows))))

    y, x = features(args.train, "train.csv")
    weights = np.linalg.solve(x.T @ x + args.ridge * np.eye(x.shape[1]), x.T @ y)
    for name, folder in (("train", args.train), ("validation", args.validation)):
        y, x = features(folder, f"{name}.csv")
        print(f"{name}-mse={np.mean((x @ weights - y) ** 2):.4f};")
    np.save(os.path.join(args.model_dir, "weights.npy"), weights)
    if args.inference:
        os.makedirs(os.path.join(args.model_dir, "code"))
        shutil.copy(
            os.path.join(os.path.dirname(__file__), args.inference), os.path.join(args.model_dir, "code")
        )
