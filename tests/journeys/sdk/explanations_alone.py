"""A model's bias and explanations, by jobs without a pipeline.

Run as a user runs it; the test looks at what is left.
"""

import io
import json
import tarfile

import boto3
from sagemaker_checks import Session, clarify, get_execution_role, image_uris

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
HEADERS, NAME = ["label", "age", "income"], "SdkProcessed"
ROWS = "".join(f"{int(income > 0)},{age},{income}\n" for age in range(-3, 4) for income in (-2, -1, 1, 2)) * 2
session = Session()
role, bucket = get_execution_role(session), session.default_bucket()
client, s3 = boto3.client("sagemaker"), boto3.client("s3")

packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as tar:
    for path, text in (("weights.json", "[0.0, 1.0]"), ("code/inference.py", INFERENCE)):
        member = tarfile.TarInfo(path)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
s3.put_object(Bucket=bucket, Key="clarify/model.tar.gz", Body=packed.getvalue())
image = image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1", instance_type="ml.m5.large")
container = {"Image": image, "ModelDataUrl": f"s3://{bucket}/clarify/model.tar.gz"}
client.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=role)


def read(name: str) -> dict:
    return json.loads(s3.get_object(Bucket=bucket, Key=f"clarify/{name}/analysis.json")["Body"].read())


def data(name: str) -> clarify.DataConfig:
    return clarify.DataConfig(
        s3_data_input_path=session.upload_string_as_file_body(ROWS, bucket, "clarify/data.csv"),
        s3_output_path=f"s3://{bucket}/clarify/{name}",
        label="label",
        headers=HEADERS,
        dataset_type="text/csv",
    )


processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.xlarge", sagemaker_session=session
)
of = clarify.ModelConfig(
    model_name=NAME, instance_type="ml.m5.large", instance_count=1, accept_type="text/csv"
)
facet = clarify.BiasConfig(label_values_or_threshold=[1], facet_name="age", facet_values_or_threshold=[0])
predicted = clarify.ModelPredictedLabelConfig(probability_threshold=0.5)

processor.run_bias(data("bias"), facet, of, predicted, logs=False)
assert {"pre_training_bias_metrics", "post_training_bias_metrics"} < set(read("bias"))
processor.run_post_training_bias(data("post"), facet, of, predicted, logs=False)
assert "pre_training_bias_metrics" not in read("post")
ways = [
    clarify.SHAPConfig(baseline=[[0, 0]], num_samples=20, agg_method="mean_abs", seed=1),
    clarify.PDPConfig(features=["income"], grid_resolution=4),
]
processor.run_explainability(data("explained"), of, ways, logs=False)
found = read("explained")["explanations"]
values = found["kernel_shap"]["label0"]["global_shap_values"]
assert values["age"] < 1e-9 < values["income"], values
(dependence,) = found["pdp"]
assert dependence["feature_values"] == [-1.5, -0.5, 0.5, 1.5], dependence
assert dependence["model_predictions"][0] == sorted(dependence["model_predictions"][0]), dependence
