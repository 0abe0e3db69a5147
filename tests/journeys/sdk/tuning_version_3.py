"""Tuning in version 3 of the SDK: a tuning job of a ModelTrainer, and a TuningStep whose best model is used.

Run as a user runs it.
"""

import pathlib
import tempfile

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, TuningStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

session = Session()
role = get_execution_role(session)
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "train.py").write_text(
    "import argparse, os, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--rate', type=float)\n"
    "parser.add_argument('--depth', type=int)\n"
    "parser.add_argument('--kind', choices=['a', 'b'])\n"
    "parser.add_argument('--offset', type=float)\n"
    "given = parser.parse_args()\n"
    "data = pathlib.Path(os.environ['SM_CHANNEL_TRAIN']) / 'wanted'\n"
    "print('loss=%s;' % (abs(given.rate - float(data.read_text())) + given.depth + given.offset))\n"
    "(pathlib.Path(os.environ['SM_MODEL_DIR']) / 'kind').write_text(given.kind)\n"
)
data = session.upload_string_as_file_body("0.5", bucket, "SdkTuned/in/wanted").rpartition("/")[0]


def tuner(on: Session, jobs: int) -> HyperparameterTuner:
    """So many training jobs, two of them at a time."""
    trainer = ModelTrainer(
        training_image=image,
        source_code=SourceCode(source_dir=str(folder), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"offset": 10},
        base_job_name="SdkTuned",
        role=role,
        sagemaker_session=on,
    )
    return HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="loss",
        objective_type="Minimize",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        hyperparameter_ranges={
            "rate": ContinuousParameter(0.1, 0.9),
            "depth": IntegerParameter(1, 3),
            "kind": CategoricalParameter(["a", "b"]),
        },
        strategy="Random",
        max_jobs=jobs,
        max_parallel_jobs=2,
        random_seed=5,
    )


alone = tuner(session, 3)
alone.tune({"train": data})
best = alone.best_training_job()
table = alone.analytics().dataframe()
assert len(table) == 3, table
least = table[table["FinalObjectiveValue"] == table["FinalObjectiveValue"].min()]
assert best in set(least["TrainingJobName"]), (best, table)
assert least["FinalObjectiveValue"].iloc[0] >= 11, table

in_pipeline = PipelineSession()
tuned = TuningStep(
    name="Tune",
    step_args=tuner(in_pipeline, 2).tune({"train": data}),
    cache_config=CacheConfig(enable_caching=True, expire_after="PT1H"),
)
create = ModelStep(
    name="Create",
    step_args=ModelBuilder(
        s3_model_data_url=tuned.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix="SdkTuned"),
        image_uri=image,
        role_arn=role,
        sagemaker_session=in_pipeline,
    ).build(),
)
pipeline = Pipeline("SdkTuned", steps=[tuned, create], sagemaker_session=in_pipeline)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=120)
steps = {each["StepName"]: each["Metadata"] for each in execution.list_steps()}
job = boto3.client("sagemaker").describe_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=steps["Tune"]["TuningJob"]["Arn"].rpartition("/")[2]
)
assert job["TrainingJobStatusCounters"]["Completed"] == 2, job
model = boto3.client("sagemaker").describe_model(ModelName=steps["Create"]["Model"]["Arn"].rpartition("/")[2])
place = f"/{job['BestTrainingJob']['TrainingJobName']}/output/model.tar.gz"
assert model["PrimaryContainer"]["ModelDataUrl"].endswith(place), model
