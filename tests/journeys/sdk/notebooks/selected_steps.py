"""Selective execution: after a run, some steps again, with the outputs of the others taken from it."""

import parts
from sagemaker.inputs import TrainingInput
from sagemaker.workflow.parameters import ParameterFloat
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.workflow.steps import TrainingStep

shrink = ParameterFloat(name="Shrink", default_value=0.0)
preprocess = parts.preprocessing(parts.raw_data("selected"))
train = TrainingStep(
    name="Train",
    step_args=parts.estimator(shrink=shrink).fit({"train": TrainingInput(parts.output(preprocess, "train"))}),
)
evaluate, _ = parts.evaluation(
    train.properties.ModelArtifacts.S3ModelArtifacts, parts.output(preprocess, "test")
)
pipeline = Pipeline(
    name="Selected",
    parameters=[shrink],
    steps=[preprocess, train, evaluate],
    sagemaker_session=parts.session,
)
first = parts.succeeded(pipeline)
chosen = SelectiveExecutionConfig(selected_steps=["Train", "Evaluate"], reference_latest_execution=True)
again = parts.succeeded(pipeline, {"Shrink": 0.5}, selective_execution_config=chosen)
jobs = [ran["Train"]["Metadata"]["TrainingJob"]["Arn"] for ran in (first, again)]
assert jobs[0] != jobs[1]
assert set(again) == {"Train", "Evaluate"} or "SelectiveExecutionResult" in again["Preprocess"], again
client = parts.own_session.sagemaker_client
(before, after) = (client.describe_training_job(TrainingJobName=each.split("/")[-1]) for each in jobs)
assert before["InputDataConfig"] == after["InputDataConfig"], (before, after)
assert before["FinalMetricDataList"][0]["Value"] < 0.001 < after["FinalMetricDataList"][0]["Value"]
