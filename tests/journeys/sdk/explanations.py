"""A model's bias and explanations: steps, whose baselines are compared.

Run as a user runs it; the test looks at what is left.
"""

import contextlib
import io
import json
import tarfile

import boto3
from botocore.exceptions import WaiterError
from sagemaker_checks import (
    REGISTERS,
    CheckJobConfig,
    ClarifyCheckStep,
    DriftCheckBaselines,
    MetricsSource,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
    ModelStep,
    ParameterBoolean,
    ParameterString,
    Pipeline,
    PipelineSession,
    clarify,
    creation,
    get_execution_role,
    image_uris,
    model_of,
)

INFERENCE = """
import json, math

def model_fn(model_dir):
    return json.load(open(model_dir + "/weights.json"))

def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [[float(each) for each in line.split(",")] for line in text.splitlines()]

def predict_fn(rows, weights):
    return [1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, row)))) for row in rows]

def output_fn(odds, accept):
    return "\\n".join(map(str, odds)), "text/csv"
"""
GROUP, HEADERS = "SdkClarified", ["label", "age", "income"]
ROWS = "".join(f"{int(income > 0)},{age},{income}\n" for age in range(-3, 4) for income in (-2, -1, 1, 2)) * 2
session = PipelineSession()
role, bucket = get_execution_role(session), session.default_bucket()
client, s3 = boto3.client("sagemaker"), boto3.client("s3")


def upload(name: str, body: str) -> str:
    return session.upload_string_as_file_body(body, bucket, f"clarify/{name}")


def packed_of(name: str, weights: list[float]) -> str:
    """A model that is the logistic function of a weighted sum."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in (("weights.json", json.dumps(weights)), ("code/inference.py", INFERENCE)):
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    s3.put_object(Bucket=bucket, Key=f"clarify/{name}.tar.gz", Body=packed.getvalue())
    return f"s3://{bucket}/clarify/{name}.tar.gz"


def read(uri: str) -> dict:
    place, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(s3.get_object(Bucket=place, Key=key)["Body"].read())


image = image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1", instance_type="ml.m5.large")
data_uri = upload("data.csv", ROWS)
artefact = ParameterString("Artefact")
skip = ParameterBoolean("SkipCheck", default_value=False)
register = ParameterBoolean("RegisterNewBaseline", default_value=False)
model = model_of(image, artefact, role, session)
create = ModelStep("Make", step_args=creation(model))


def data(name: str) -> clarify.DataConfig:
    return clarify.DataConfig(
        s3_data_input_path=data_uri,
        s3_output_path=f"s3://{bucket}/clarify/{name}",
        s3_analysis_config_output_path=f"s3://{bucket}/clarify/{name}-config",
        label="label",
        headers=HEADERS,
        dataset_type="text/csv",
    )


def of(name: str) -> clarify.ModelConfig:
    return clarify.ModelConfig(
        model_name=name, instance_type="ml.m5.large", instance_count=1, accept_type="text/csv"
    )


bias_config = clarify.BiasConfig(
    label_values_or_threshold=[1], facet_name="age", facet_values_or_threshold=[0]
)
shap_config = clarify.SHAPConfig(baseline=[[0, 0]], num_samples=20, agg_method="mean_abs", seed=1)
common = {
    "check_job_config": CheckJobConfig(role=role, instance_type="ml.m5.xlarge", sagemaker_session=session),
    "skip_check": skip,
    "register_new_baseline": register,
    "model_package_group_name": GROUP,
    "fail_on_violation": False,
}
bias = ClarifyCheckStep(
    name="ModelBias",
    clarify_check_config=ModelBiasCheckConfig(
        data_config=data("bias"),
        data_bias_config=bias_config,
        model_config=of(create.properties.ModelName),
        model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.5),
        methods=["DPPL", "AD"],
    ),
    **common,
)
explained = ClarifyCheckStep(
    name="Explained",
    clarify_check_config=ModelExplainabilityCheckConfig(
        data_config=data("explained"),
        model_config=of(create.properties.ModelName),
        explainability_config=shap_config,
    ),
    **common,
)
used = "BaselineUsedForDriftCheckConstraints"
registered = ModelStep(
    name="Reg",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        model_package_group_name=GROUP,
        drift_check_baselines=DriftCheckBaselines(
            bias_post_training_constraints=MetricsSource("application/json", getattr(bias.properties, used)),
            explainability_constraints=MetricsSource("application/json", getattr(explained.properties, used)),
        ),
    ),
    depends_on=[bias, explained],
)
steps = [create, bias, explained, registered]
pipeline = Pipeline("SdkClarify", [artefact, skip, register], steps=steps, sagemaker_session=session)
pipeline.upsert(role)


def run(uri: str, **given: bool) -> dict:
    execution = pipeline.start({"Artefact": uri, **given})
    with contextlib.suppress(WaiterError):  # it failed, which its description says too
        execution.wait(delay=1, max_attempts=180)
    found = {step["StepName"]: step for step in execution.list_steps()}
    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded", found
    return {name: step["Metadata"] for name, step in found.items()}


fair = packed_of("fair", [0.0, 1.0])
first = run(fair, SkipCheck=True, RegisterNewBaseline=True)
values = read(first["Explained"]["ClarifyCheck"]["CalculatedBaselineConstraints"])["explanations"]
assert values["kernel_shap"]["label0"]["global_shap_values"]["age"] < 1e-9, values
(group,) = read(first["ModelBias"]["ClarifyCheck"]["CalculatedBaselineConstraints"])[
    "post_training_bias_metrics"
]["facets"]["age"]
assert {each["name"]: each["value"] for each in group["metrics"]} == {"DPPL": 0.0, "AD": 0.0}, group
package = first[f"Reg{REGISTERS}"]["RegisterModel"]["Arn"]
client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

second = run(packed_of("unfair", [2.0, 0.1]))
before = first["ModelBias"]["ClarifyCheck"]["CalculatedBaselineConstraints"]
assert second["ModelBias"]["ClarifyCheck"][used] == before, second
found = read(second["ModelBias"]["ClarifyCheck"]["ViolationReport"])["violations"]
assert {each["metric_name"] for each in found} == {"DPPL", "AD"}, found
(found,) = read(second["Explained"]["ClarifyCheck"]["ViolationReport"])["violations"]
assert found["constraint_check_type"] == "feature_attribution_drift_check", found
assert client.list_endpoints(NameContains="sm-clarify")["Endpoints"] == []
