"""Checks: a baseline is registered and approved, and data drift from it.

Run as a user runs it; the test looks at what is left. With CHECKS_BIAS it checks the bias of the data too.
"""

import contextlib
import json
import os
import random

import boto3
from botocore.exceptions import WaiterError
from sagemaker_checks import (
    REGISTERS,
    CheckJobConfig,
    ClarifyCheckStep,
    ConstraintViolations,
    DataBiasCheckConfig,
    DataQualityCheckConfig,
    DatasetFormat,
    DriftCheckBaselines,
    MetricsSource,
    ModelMetrics,
    ModelQualityCheckConfig,
    ModelStep,
    ParameterBoolean,
    ParameterString,
    Pipeline,
    PipelineSession,
    QualityCheckStep,
    clarify,
    get_execution_role,
    image_uris,
    model_of,
)

session = PipelineSession()
role, bucket = get_execution_role(session), session.default_bucket()
client, chance, GROUP = boto3.client("sagemaker"), random.Random(7), "SdkChecked"
HEADERS = ["label", "age", "prediction"]


def upload(name: str, body: str) -> str:
    return session.upload_string_as_file_body(body, bucket, f"checks/{name}")


def rows(oldest: int, wrong: float, approved: float = 0.5) -> str:
    """A label, an age and a prediction, which is wrong in so many cases."""
    lines = []
    for _ in range(300):
        age = chance.randint(20, oldest)
        label = int(chance.random() < (approved if age > 40 else 0.5))
        prediction = 1 - label if chance.random() < wrong else label
        lines.append(f"{label},{age},{prediction}")
    return "\n".join([",".join(HEADERS), *lines]) + "\n"


skip = ParameterBoolean(name="SkipCheck", default_value=False)
register = ParameterBoolean(name="RegisterNewBaseline", default_value=False)
data = ParameterString(name="Data")
parameters = [skip, register, data]
job = CheckJobConfig(role=role, instance_type="ml.m5.xlarge", sagemaker_session=session)
common = {
    "skip_check": skip,
    "register_new_baseline": register,
    "model_package_group_name": GROUP,
    "check_job_config": job,
}
quality = QualityCheckStep(
    name="DataQuality",
    quality_check_config=DataQualityCheckConfig(
        baseline_dataset=data,
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{bucket}/checks/data-quality",
    ),
    **common,
)
model_quality = QualityCheckStep(
    name="ModelQuality",
    quality_check_config=ModelQualityCheckConfig(
        baseline_dataset=data,
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{bucket}/checks/model-quality",
        problem_type="BinaryClassification",
        inference_attribute="prediction",
        ground_truth_attribute="label",
    ),
    fail_on_violation=False,
    **common,
)
checks = [quality, model_quality]
found, used = quality.properties, model_quality.properties
metrics = {
    "model_data_statistics": MetricsSource("application/json", found.CalculatedBaselineStatistics),
    "model_data_constraints": MetricsSource("application/json", found.CalculatedBaselineConstraints),
}
drift = {
    "model_data_statistics": MetricsSource("application/json", found.BaselineUsedForDriftCheckStatistics),
    "model_data_constraints": MetricsSource("application/json", found.BaselineUsedForDriftCheckConstraints),
    "model_statistics": MetricsSource("application/json", used.BaselineUsedForDriftCheckStatistics),
    "model_constraints": MetricsSource("application/json", used.BaselineUsedForDriftCheckConstraints),
}
if os.environ.get("CHECKS_BIAS"):
    bias = ClarifyCheckStep(
        name="DataBias",
        clarify_check_config=DataBiasCheckConfig(
            data_config=clarify.DataConfig(
                s3_data_input_path=data,
                s3_output_path=f"s3://{bucket}/checks/bias",
                s3_analysis_config_output_path=f"s3://{bucket}/checks/bias-config",
                label="label",
                dataset_type="text/csv",
            ),
            data_bias_config=clarify.BiasConfig(
                label_values_or_threshold=[1], facet_name="age", facet_values_or_threshold=[40]
            ),
        ),
        fail_on_violation=False,
        **common,
    )
    checks.append(bias)
    used_bias = MetricsSource("application/json", bias.properties.BaselineUsedForDriftCheckConstraints)
    drift["bias_pre_training_constraints"] = used_bias

image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1", instance_type="ml.m5.large")
model = model_of(image, upload("model.tar.gz", "x"), role, session)
registered = ModelStep(
    name="Reg",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        model_package_group_name=GROUP,
        model_metrics=ModelMetrics(**metrics),
        drift_check_baselines=DriftCheckBaselines(**drift),
    ),
    depends_on=checks,
)
pipeline = Pipeline("SdkChecks", parameters, steps=[*checks, registered], sagemaker_session=session)
pipeline.upsert(role)


def run(uri: str, **given: bool) -> tuple[str, dict]:
    execution = pipeline.start({"Data": uri, **given})
    with contextlib.suppress(WaiterError):  # it failed, which its description says too
        execution.wait(delay=1, max_attempts=120)
    return execution.describe()["PipelineExecutionStatus"], {
        step["StepName"]: step for step in execution.list_steps()
    }


usual = upload("usual.csv", rows(60, 0.1))
status, steps = run(usual, SkipCheck=True, RegisterNewBaseline=True)
assert status == "Succeeded", steps
package = steps[f"Reg{REGISTERS}"]["Metadata"]["RegisterModel"]["Arn"]
kept = client.describe_model_package(ModelPackageName=package)["DriftCheckBaselines"]
first = steps["DataQuality"]["Metadata"]["QualityCheck"]
assert first["SkipCheck"] is True and first["RegisterNewBaseline"] is True, first
assert kept["ModelDataQuality"]["Constraints"]["S3Uri"] == first["CalculatedBaselineConstraints"], kept
assert first["BaselineUsedForDriftCheckStatistics"] == first["CalculatedBaselineStatistics"], first

status, steps = run(usual)
assert status == "Failed", steps
assert "has no approved package" in steps["DataQuality"]["FailureReason"], steps

client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
status, steps = run(usual)
assert status == "Succeeded", steps
second = steps["DataQuality"]["Metadata"]["QualityCheck"]
assert second["BaselineUsedForDriftCheckConstraints"] == first["CalculatedBaselineConstraints"], second
assert "ViolationReport" not in second, second

drifted = upload("drifted.csv", rows(90, 0.4, approved=0.9))
status, steps = run(drifted)
assert status == "Failed", steps
checked = steps["DataQuality"]
assert "ClientError: Quality check failed. See violation report" in checked["FailureReason"], checked
report = ConstraintViolations.from_s3_uri(checked["Metadata"]["QualityCheck"]["ViolationReport"])
kinds = {(each["feature_name"], each["constraint_check_type"]) for each in report.body_dict["violations"]}
assert ("age", "baseline_drift_check") in kinds, report.body_dict
borne = steps["ModelQuality"]
assert borne["StepStatus"] == "Succeeded", borne
report = ConstraintViolations.from_s3_uri(borne["Metadata"]["QualityCheck"]["ViolationReport"])
worse = {each["metric_name"] for each in report.body_dict["violations"]}
assert worse >= {"accuracy", "recall", "f1"}, report.body_dict
if os.environ.get("CHECKS_BIAS"):
    report = ConstraintViolations.from_s3_uri(
        steps["DataBias"]["Metadata"]["ClarifyCheck"]["ViolationReport"]
    )
    assert "DPL" in {each["metric_name"] for each in report.body_dict["violations"]}, report.body_dict
assert f"Reg{REGISTERS}" not in steps
print(json.dumps(sorted(kinds)))
