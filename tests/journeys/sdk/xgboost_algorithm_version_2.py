"""XGBoost as a built-in algorithm, in version 2 of the SDK: an image and hyperparameters, and no script.

Run as a user runs it; the test looks at what is left.
"""

import random

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session = sagemaker.Session()
bucket = session.default_bucket()
chance = random.Random(7)


def rows(count: int) -> str:
    """A label and two features, on which it depends."""
    features = [[chance.random(), chance.random()] for _ in range(count)]
    return "".join(f"{3 * one + other:.4f},{one:.4f},{other:.4f}\n" for one, other in features)


def channel(name: str, count: int) -> TrainingInput:
    """A channel of CSV."""
    uri = session.upload_string_as_file_body(rows(count), bucket, f"xgboost/{name}/part.csv")
    return TrainingInput(uri, content_type="csv")


channels = {"train": channel("train", 200), "validation": channel("validation", 50)}
for version, name in (("1.7-1", "SdkXgboost"), ("1.2-1", "SdkXgboostPickled")):
    estimator = Estimator(
        image_uri=sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version),
        role=sagemaker.get_execution_role(session),
        instance_type="ml.m5.xlarge",
        instance_count=1,
        output_path=f"s3://{bucket}/models",
        base_job_name=name,
    )
    estimator.set_hyperparameters(objective="reg:squarederror", num_round=20, max_depth=3)
    estimator.fit(channels, wait=True, logs=True)
    described = estimator.latest_training_job.describe()
    metrics = {each["MetricName"]: each["Value"] for each in described["FinalMetricDataList"]}
    assert metrics["validation:rmse"] < 0.3, metrics
    transformer = estimator.transformer(
        1,
        "ml.m5.large",
        output_path=f"s3://{bucket}/predicted/{name}",
        assemble_with="Line",
        accept="text/csv",
    )
    data = session.upload_string_as_file_body("0.9,0.9\n0.1,0.1\n", bucket, "xgboost/asked/rows.csv")
    transformer.transform(
        "/".join(data.split("/")[:-1]), content_type="text/csv", split_type="Line", wait=True
    )
    predicted = session.read_s3_file(bucket, f"predicted/{name}/rows.csv.out").splitlines()
    high, low = map(float, predicted)
    assert high > 2.5 > 1.5 > low, predicted

estimator.set_hyperparameters(num_round=0)
try:
    estimator.fit(channels)
except sagemaker.exceptions.UnexpectedStatusException as error:
    assert "Hyperparameter num_round: 0 is not in [1, +inf)" in str(error), error
else:
    raise AssertionError("a hyperparameter out of its range was taken")
