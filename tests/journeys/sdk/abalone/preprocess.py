"""Abalones as measured, to features with the label first, in three parts."""

import argparse
import csv
import pathlib

import boto3
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--input-data", type=str, required=True)
args = parser.parse_args()

base_dir = "/opt/ml/processing"
pathlib.Path(f"{base_dir}/data").mkdir(parents=True, exist_ok=True)
bucket = args.input_data.split("/")[2]
key = "/".join(args.input_data.split("/")[3:])

print("Downloading data from bucket:", bucket, "key:", key)
fn = f"{base_dir}/data/abalone-dataset.csv"
s3 = boto3.resource("s3")
s3.Bucket(bucket).download_file(key, fn)

with open(fn, newline="") as file:
    rows = list(csv.reader(file))
sexes = np.array([[row[0] == sex for sex in "MFI"] for row in rows], dtype=float)
measured = np.array([row[1:-1] for row in rows], dtype=float)
scaled = (measured - measured.mean(axis=0)) / measured.std(axis=0)
rings = np.array([[row[-1]] for row in rows], dtype=float)
everything = np.concatenate((rings, scaled, sexes), axis=1)

np.random.default_rng(1).shuffle(everything)
parts = np.split(everything, [int(0.7 * len(everything)), int(0.85 * len(everything))])
for name, part in zip(("train", "validation", "test"), parts):
    np.savetxt(f"{base_dir}/{name}/{name}.csv", part, delimiter=",")
    print(name, len(part))
