"""Metrics of training jobs: what a program prints becomes FinalMetricDataList, by the user's expressions."""

import random
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import IMAGE, Workshop

from passrole.faults import Fault
from passrole.services.sagemaker.jobs.metric_definitions import METRICS_MAX, described, metrics

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LINE = b"[3]\ttrain-rmse:0.50000\tvalidation-rmse:1.25e-1"


def _definitions(**expressions: str) -> list[dict[str, str]]:
    return [{"Name": name, "Regex": expression} for name, expression in expressions.items()]


def _specification(script: str, definitions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c"],
        "ContainerArguments": [script],
        "MetricDefinitions": definitions,
    }


def _values(job: Mapping[str, Any]) -> dict[str, float]:
    return {each["MetricName"]: each["Value"] for each in job.get("FinalMetricDataList", ())}


def test_the_last_value_of_each_is_told(workshop: Workshop) -> None:
    script = (
        "echo 'loss=2.5;'; echo 'acc: 7' >&2; echo 'loss=0.5; acc: x'; echo 'loss=nan;'; printf 'late=0.25'"
    )
    found = _definitions(
        late="late=(.*)", loss="loss=(.*?);", acc="acc: (\\S+)", none="none=(.*)", bare="loss=.*"
    )
    job = workshop.train("", AlgorithmSpecification=_specification(script, found))
    assert _values(job) == {"late": 0.25, "loss": 0.5, "acc": 7.0}
    assert [each["MetricName"] for each in job["FinalMetricDataList"]] == ["late", "loss", "acc"]
    assert all(each["Timestamp"] >= job["TrainingStartTime"] for each in job["FinalMetricDataList"])


def test_they_are_told_while_the_job_runs_and_without_a_log(workshop: Workshop) -> None:
    data_alone = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    script = "echo 'loss=3;'; trap 'echo \"loss=2;\"; exit 0' TERM; while :; do sleep 0.05; done"
    specification = _specification(script, _definitions(loss="loss=([0-9.]+);"))
    role = workshop.server.role([data_alone])
    request = workshop.training("", AlgorithmSpecification=specification, RoleArn=role)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    describe = workshop.sagemaker.describe_training_job
    eventually(lambda: _values(describe(TrainingJobName=name)) == {"loss": 3.0})
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    assert _values(workshop.trained(name)) == {"loss": 2.0}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(?=x)a", "invalid perl operator: (?="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(", "missing ): ("),
        ("(?:(?:a{0,900}){0,900})b", "invalid repetition size"),
        ("(.{0,900}.{0,900})x", "pattern too large"),
    ],
)
def test_what_re2_cannot_run_is_refused(workshop: Workshop, expression: str, why: str) -> None:
    definitions = _definitions(fine="a", bad=expression)
    with pytest.raises(ClientError) as caught:
        workshop.train("", AlgorithmSpecification=_specification("exit 0", definitions))
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "'algorithmSpecification.metricDefinitions.2.member.regex'" in error["Message"]
    assert why in error["Message"]


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(Fault, match="it is not text"):
        metrics({"MetricDefinitions": _definitions(a="\ud800")})


def test_the_image_of_xgboost_implies_metrics() -> None:
    found = {each.name: each.value(LINE) for each in metrics({"TrainingImage": XGBOOST})}
    assert len(found) == 34
    assert {name: value for name, value in found.items() if value is not None} == {
        "train:rmse": 0.5,
        "validation:rmse": 0.125,
    }
    assert metrics({"TrainingImage": IMAGE}) == []


def test_users_own_definitions_come_first_and_replace_implied_ones() -> None:
    own = [{"Name": "train:rmse", "Regex": "x"}, *({"Name": f"m{n}", "Regex": "x"} for n in range(10))]
    whole = described({"TrainingImage": XGBOOST, "MetricDefinitions": own})["MetricDefinitions"]
    assert (whole[:11], len(whole)) == (own, METRICS_MAX)
    assert [each["Name"] for each in whole].count("train:rmse") == 1


def test_a_tab_is_found_as_a_tab_and_as_awss_log_writes_it() -> None:
    for expression in (r"\ttrain-rmse:(\S+)", r"#011train-rmse:(\S+)"):
        (metric,) = metrics({"MetricDefinitions": _definitions(a=expression)})
        assert metric.value(LINE) == 0.5


@pytest.mark.parametrize("text", ["x", "", "nan", "inf", "-Infinity", "1e300", "0x1", "1,5", "\u0661x"])
def test_what_is_no_number_is_no_value(text: str) -> None:
    (metric,) = metrics({"MetricDefinitions": _definitions(a="v=(.*)")})
    assert metric.value(f"v={text}".encode()) is None


def test_a_value_has_the_precision_of_aws() -> None:
    (metric,) = metrics({"MetricDefinitions": _definitions(a="v=(.*)")})
    assert (
        metric.value(b"v=2.91488") == 2.9148800373077393 == struct.unpack("f", struct.pack("f", 2.91488))[0]
    )


@pytest.mark.parametrize(
    "expression", [r"(a+)+$", r"(a|aa)+$", r"(.*)(.*)(.*)(.*)(.*)x", r"([ab]*a[ab]{200})c"]
)
def test_a_hostile_expression_comes_to_its_end(expression: str) -> None:
    """`re` would take longer than a test may."""
    (metric,) = metrics({"MetricDefinitions": _definitions(a=expression)})
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(200_000)).encode() + b"!"
    assert metric.value(text) is None
