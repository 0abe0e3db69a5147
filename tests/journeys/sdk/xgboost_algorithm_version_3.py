"""XGBoost as a built-in algorithm, in version 3 of the SDK: an image and hyperparameters, and no script.

Run as a user runs it; the test looks at what is left.
"""

import random

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

session = Session()
bucket = session.default_bucket()
role = get_execution_role(session)
chance = random.Random(7)


def rows(count: int) -> str:
    """A label and two features, on which it depends."""
    features = [[chance.random(), chance.random()] for _ in range(count)]
    return "".join(f"{3 * one + other:.4f},{one:.4f},{other:.4f}\n" for one, other in features)


def channel(name: str, count: int) -> InputData:
    """A channel of CSV."""
    uri = session.upload_string_as_file_body(rows(count), bucket, f"xgboost/{name}/part.csv")
    return InputData(channel_name=name, data_source=uri, content_type="csv")


def trainer(image: str, name: str, **hyperparameters: object) -> ModelTrainer:
    """What trains with the image alone."""
    return ModelTrainer(
        training_image=image,
        hyperparameters={"objective": "reg:squarederror", "max_depth": 3, **hyperparameters},
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        base_job_name=name,
        role=role,
        sagemaker_session=session,
    )


channels = [channel("train", 200), channel("validation", 50)]
data = session.upload_string_as_file_body("0.9,0.9\n0.1,0.1\n", bucket, "xgboost/asked/rows.csv")
for version, name in (("1.7-1", "SdkXgboost"), ("1.2-1", "SdkXgboostPickled")):
    image = image_uris.retrieve("xgboost", session.boto_region_name, version)
    trained = trainer(image, name, num_round=20)
    trained.train(input_data_config=channels)
    job = trained._latest_training_job.refresh()
    metrics = {each.metric_name: each.value for each in job.final_metric_data_list}
    assert metrics["validation:rmse"] < 0.3, metrics
    builder = ModelBuilder(
        s3_model_data_url=job.model_artifacts.s3_model_artifacts,
        image_uri=image,
        instance_type="ml.m5.large",
        role_arn=role,
        sagemaker_session=session,
    )
    builder.build()
    transformer = builder.transformer(
        1,
        "ml.m5.large",
        output_path=f"s3://{bucket}/predicted/{name}",
        assemble_with="Line",
        accept="text/csv",
    )
    transformer.transform(
        data.rpartition("/")[0], content_type="text/csv", split_type="Line", wait=True, logs=False
    )
    predicted = session.read_s3_file(bucket, f"predicted/{name}/rows.csv.out").splitlines()
    high, low = map(float, predicted)
    assert high > 2.5 > 1.5 > low, predicted

try:
    trainer(image, "SdkXgboost", num_round=0).train(input_data_config=channels)
except FailedStatusError as error:
    assert "Hyperparameter num_round: 0 is not in [1, +inf)" in str(error), error
else:
    raise AssertionError("a hyperparameter out of its range was taken")
