"""Customer churn: preprocess, tune, evaluate the best, register it if it is good; make the second."""

import parts
from sagemaker.inputs import CreateModelInput, TrainingInput
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.parameter import ContinuousParameter
from sagemaker.tuner import HyperparameterTuner
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.step_collections import RegisterModel
from sagemaker.workflow.steps import CacheConfig, CreateModelStep, TuningStep

data = ParameterString(name="InputData", default_value=parts.raw_data("churn"))
approval = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
most = ParameterFloat(name="RmseMax", default_value=100.0)
cache = CacheConfig(enable_caching=True, expire_after="P1D")

preprocess = parts.preprocessing(data, cache_config=cache)
tuner = HyperparameterTuner(
    parts.estimator(),
    objective_metric_name="rmse",
    objective_type="Minimize",
    metric_definitions=[{"Name": "rmse", "Regex": "rmse=([0-9.]+);"}],
    hyperparameter_ranges={"shrink": ContinuousParameter(0.0, 0.5)},
    max_jobs=3,
    max_parallel_jobs=3,
)
train = TrainingInput(parts.output(preprocess, "train"), content_type="text/csv")
tune = TuningStep(name="Tune", step_args=tuner.fit(inputs={"train": train}), cache_config=cache)
best, second = (tune.get_top_model_s3_uri(top_k=rank, s3_bucket=parts.bucket, prefix="") for rank in (0, 1))
evaluate, report = parts.evaluation(best, parts.output(preprocess, "test"))
uri = Join(on="/", values=[parts.output(evaluate, "evaluation"), "evaluation.json"])
metrics = ModelMetrics(model_statistics=MetricsSource(s3_uri=uri, content_type="application/json"))
register = RegisterModel(
    name="Register",
    estimator=parts.estimator(),
    model_data=best,
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.t2.medium", "ml.m5.large"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="Churn",
    approval_status=approval,
    model_metrics=metrics,
    entry_point="inference.py",
    source_dir=str(parts.CODE),
)
create = CreateModelStep(
    name="CreateSecond", model=parts.served(second), inputs=CreateModelInput(instance_type="ml.m5.large")
)
value = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.rmse.value")
decide = ConditionStep(
    name="Decide",
    conditions=[ConditionLessThanOrEqualTo(left=value, right=most)],
    if_steps=[register, create],
    else_steps=[FailStep(name="TooBad", error_message=Join(on=" ", values=["rmse >", most]))],
)
steps = [preprocess, tune, evaluate, decide]
pipeline = Pipeline(
    name="Churn", parameters=[data, approval, most], steps=steps, sagemaker_session=parts.session
)
ran = parts.succeeded(pipeline)
assert ran["Decide"]["Metadata"]["Condition"]["Outcome"] == "True", ran
package = ran["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
client = parts.own_session.sagemaker_client
described = client.describe_model_package(ModelPackageName=package)
assert described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith("/evaluation.json"), (
    described
)
model = client.describe_model(ModelName=ran["CreateSecond"]["Metadata"]["Model"]["Arn"].split("/")[-1])
jobs = client.list_training_jobs_for_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=ran["Tune"]["Metadata"]["TuningJob"]["Arn"].split("/")[-1],
    SortBy="FinalObjectiveMetricValue",
    SortOrder="Ascending",
)["TrainingJobSummaries"]
assert jobs[1]["TrainingJobName"] in model["PrimaryContainer"]["ModelDataUrl"], (jobs, model)

ran = parts.failed(pipeline, {"RmseMax": 0.0})
assert "CacheHitResult" in ran["Preprocess"] and "CacheHitResult" in ran["Tune"], ran
assert ran["TooBad"]["Metadata"]["Fail"]["ErrorMessage"] == "rmse > 0.0", ran
