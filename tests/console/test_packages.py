"""Groups of model packages and their versions; the versions of a pipeline."""

import json

from tests.conftest import new_name
from tests.console.conftest import Browser, Console, Wait, hidden

HOSTILE = "<script>alert(1)</script>"


def group_of(console: Console, *metrics: bytes) -> str:
    """A group with a version for each document of metrics."""
    server = console.server
    sagemaker, s3, group, bucket = (
        server.client("sagemaker"),
        server.client("s3"),
        new_name("group"),
        new_name("metrics"),
    )
    s3.create_bucket(Bucket=bucket)
    sagemaker.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription=HOSTILE)
    for number, body in enumerate(metrics):
        s3.put_object(Bucket=bucket, Key=f"{number}.json", Body=body)
        source = {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{number}.json"}
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            ModelPackageDescription=HOSTILE,
            ModelMetrics={"ModelQuality": {"Statistics": source}},
        )
    return group


def test_versions_are_listed_with_the_numbers_of_their_metrics(console: Console, admin: Browser) -> None:
    quality = {"regression_metrics": {"mse": {"value": 1.5, "standard_deviation": "NaN"}, "is_good": True}}
    group = group_of(console, json.dumps(quality).encode(), b"{", b"[1e999, 2]", b"\xff")
    found = admin.get(f"/packages/{group}.json").json
    assert [each["ModelPackageVersion"] for each in found["versions"]] == [4, 3, 2, 1]
    assert found["versions"][-1]["Numbers"] == {"regression_metrics.mse": 1.5}
    assert [each["Numbers"] for each in found["versions"][:-1]] == [{}, {}, {}]
    page = admin.get(f"/packages/{group}").text
    assert '<td class="number">1.5</td>' in page
    assert f'href="/packages/{group}/4"' in page
    assert HOSTILE not in page
    listed = admin.get("/packages").text
    assert (f'href="/packages/{group}"' in listed, HOSTILE in listed) == (True, False)


def test_metrics_are_left_out_where_they_may_not_be_read(console: Console) -> None:
    group = group_of(console, b'{"mse": 1.5}')
    reader = console.allowed("sagemaker:Describe*", "sagemaker:List*")
    found = reader.get(f"/packages/{group}.json").json
    assert [each["Numbers"] for each in found["versions"]] == [{}]
    assert console.allowed("sagemaker:ListModelPackages").get(f"/packages/{group}").status == 403


def test_a_group_that_is_not_there(admin: Browser) -> None:
    assert admin.get("/packages/none").status in (400, 404)


def test_a_version_of_a_pipeline_is_shown_and_started(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait(Parameters=[{"Name": "Old", "Type": "Integer", "DefaultValue": 3}])
    sagemaker = console.server.client("sagemaker")
    described = sagemaker.describe_pipeline(PipelineName=waiting.pipeline)
    definition = json.loads(described["PipelineDefinition"])
    definition["Parameters"] = [{"Name": "New", "Type": "Integer", "DefaultValue": 4}]
    sagemaker.update_pipeline(PipelineName=waiting.pipeline, PipelineDefinition=json.dumps(definition))
    at = f"/pipelines/{waiting.pipeline}"
    newest, first = admin.get(at).text, admin.get(f"{at}?version=1").text
    assert ('name="parameter.New"' in newest, 'name="parameter.Old"' in newest) == (True, False)
    assert ('name="parameter.New"' in first, 'name="parameter.Old"' in first) == (False, True)
    assert f'href="{at}?version=1"' in newest
    fields = {"token": hidden(first, "token"), "version": hidden(first, "version"), "parameter.Old": "9"}
    assert admin.post(f"{at}/start", fields).status == 200
    started = admin.get(f"{at}.json").json["executions"][0]["PipelineExecutionArn"].rpartition("/")[2]
    given = admin.get(f"/executions/{started}.json").json["parameters"]
    assert [(each["Name"], each["Value"]) for each in given] == [("Old", "9")]
    for version in ("0", "77", "x", "1" * 10, "²"):
        assert admin.get(f"{at}?version={version}").status in (400, 404), version
