"""A tuning job as version 2 of the SDK's documentation has it, without a pipeline."""

import pathlib
import tempfile

import sagemaker
from sagemaker.sklearn import SKLearn
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner, IntegerParameter

session = sagemaker.Session()
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "train.py").write_text(
    "import argparse, os, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--rate', type=float)\n"
    "parser.add_argument('--depth', type=int)\n"
    "parser.add_argument('--kind', choices=['a', 'b'])\n"
    "given = parser.parse_args()\n"
    "print('loss=%s;' % (abs(given.rate - 0.5) + given.depth))\n"
    "(pathlib.Path(os.environ['SM_MODEL_DIR']) / 'kind').write_text(given.kind)\n"
)
estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(folder),
    framework_version="1.2-1",
    role=sagemaker.get_execution_role(session),
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
tuner = HyperparameterTuner(
    estimator,
    objective_metric_name="loss",
    objective_type="Minimize",
    metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
    hyperparameter_ranges={
        "rate": ContinuousParameter(0.1, 0.9),
        "depth": IntegerParameter(1, 3),
        "kind": CategoricalParameter(["a", "b"]),
    },
    strategy="Random",
    max_jobs=3,
    max_parallel_jobs=2,
    random_seed=5,
)
tuner.fit(wait=True)
best = tuner.best_training_job()
table = tuner.analytics().dataframe()
assert len(table) == 3
least = table[table["FinalObjectiveValue"] == table["FinalObjectiveValue"].min()]
assert best in set(least["TrainingJobName"])
assert tuner.best_estimator().model_data.endswith(f"{best}/output/model.tar.gz")
