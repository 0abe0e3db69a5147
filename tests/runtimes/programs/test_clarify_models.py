"""What the program that stands for AWS's analyser Clarify says of a model, which a real endpoint serves."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.policies import allowing
from tests.runtimes.programs.analyser_job import VARIABLE, WITH_ALL, WITH_SHAP, AnalyserJob, Ended
from tests.services.sagemaker.hosting.conftest import Host

LINEAR = """
    import json, math

    def model_fn(model_dir):
        return json.load(open(model_dir + "/factor.json"))

    def input_fn(body, content_type):
        text = body.decode() if isinstance(body, bytes) else body
        if content_type == "text/csv":
            return [[float(each) for each in line.split(",")] for line in text.splitlines()]
        if content_type == "application/jsonlines":
            return [json.loads(line)["features"] for line in text.splitlines()]
        return [[row["age"], row["years"]] for row in json.loads(text)["rows"]]

    def predict_fn(rows, factor):
        return [1 / (1 + math.exp(-factor * (row[0] - 40) / 10)) for row in rows]

    def output_fn(odds, accept):
        if accept == "text/csv":
            return "\\n".join(map(str, odds)), accept
        found = [{"label": int(each > 0.5), "odds": [1 - each, each]} for each in odds]
        if accept == "application/jsonlines":
            return "\\n".join(map(json.dumps, found)), accept
        return json.dumps({"found": found}), accept
    """
"""A model whose score grows with the first feature, and has nothing of the second."""

SLOW = """import time

    def predict_fn(rows, factor):"""
ROWS = [(1, 30, 3), (0, 50, 1), (1, 20, 2), (0, 60, 2), (1, 50, 1), (1, 30, 3)]
DATA = "".join(f"{label},{age},{years}\n" for label, age, years in ROWS) * 10
CONFIG: Any = {
    "dataset_type": "text/csv",
    "headers": ["label", "age", "years"],
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "age", "value_or_threshold": [40]}],
    "methods": {"post_training_bias": {"methods": "all"}},
}
SHAP: Any = {
    "baseline": [[40, 2]],
    "num_samples": 100,
    "agg_method": "mean_abs",
    "save_local_shap_values": True,
}
ACTIONS = (
    *("CreateEndpointConfig", "AddTags", "CreateEndpoint", "DescribeEndpoint"),
    *("InvokeEndpoint", "DeleteEndpoint", "DeleteEndpointConfig"),
)
Analyse = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("sandboxed")
with_smclarify = pytest.mark.skipif(WITH_ALL is None, reason=f"{VARIABLE} names no python with smclarify")
with_shap = pytest.mark.skipif(WITH_SHAP is None, reason=f"{VARIABLE} names no python with shap")


@pytest.fixture(scope="module")
def host(server: Server) -> Iterator[Host]:
    made = Host(server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(host: Host) -> str:
    return host.model(code=LINEAR)


@pytest.fixture(scope="module")
def served(host: Host, model: str) -> str:
    """An endpoint of the model that is there already."""
    name = host.endpoint(host.config({"ModelName": model}))
    host.in_service(name)
    return name


@pytest.fixture
def analyse(server: Server, model: str, tmp_path: Path) -> Iterator[Analyse]:
    """Run an analysis of the model as a principal that may do just these actions of SageMaker."""
    job = AnalyserJob(tmp_path)

    def run(*actions: str, config: Any = CONFIG, dataset: str = DATA, **members: Any) -> Ended:
        predictor = {
            "model_name": model,
            "instance_type": "ml.m5.large",
            "initial_instance_count": 1,
            **members,
        }
        keys = server.user(allowing(*(f"sagemaker:{each}" for each in actions or ACTIONS)))
        given = {name: value for name, value in predictor.items() if value is not None}
        return job.bias(dataset, {**config, "predictor": given}, **variables(server, keys))

    yield run


def variables(server: Server, keys: dict[str, str]) -> dict[str, str]:
    """With which a program calls the server, with the keys of a user."""
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
    }


def left(server: Server) -> list[str]:
    """The endpoints and configurations of analyses that are there."""
    sagemaker = server.client("sagemaker")
    endpoints = sagemaker.list_endpoints(NameContains="sm-clarify")["Endpoints"]
    configs = sagemaker.list_endpoint_configs(NameContains="sm-clarify")["EndpointConfigs"]
    return [
        *(each["EndpointName"] for each in endpoints if each["EndpointStatus"] != "Deleting"),
        *(each["EndpointConfigName"] for each in configs),
    ]


def of(endpoint: str) -> dict[str, Any]:
    """The predictor of an endpoint, in place of a model."""
    none = dict.fromkeys(("model_name", "instance_type", "initial_instance_count"))
    return {"endpoint_name": endpoint, **none}


def clear(server: Server) -> None:
    """Delete what an analysis was not allowed to delete."""
    sagemaker = server.client("sagemaker")
    for name in left(server):
        if "-config-" in name:
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
        else:
            sagemaker.delete_endpoint(EndpointName=name)


def measured(ended: Ended) -> dict[str, float]:
    assert ended.exit_code == 0, ended.printed
    (group,) = ended.results["analysis.json"]["post_training_bias_metrics"]["facets"]["age"]
    return {each["name"]: each["value"] for each in group["metrics"]}


@with_smclarify
def test_a_shadow_endpoint_serves_as_long_as_it_is_asked(server: Server, analyse: Analyse) -> None:
    ended = analyse(endpoint_name_prefix="sm-clarify-own")
    found = measured(ended)
    # the model approves the three above 40 and nobody else; the labels say one of them, and the three others
    assert found["DPPL"] == pytest.approx(-1.0) and found["RD"] == pytest.approx(-1.0)
    assert found["AD"] == pytest.approx(0.0 - 1 / 3)
    assert "creating the shadow endpoint sm-clarify-own-model-" in ended.printed
    assert left(server) == []


@with_smclarify
@pytest.mark.parametrize(
    "forms",
    [
        {"accept_type": "application/jsonlines", "probability": "odds[1]"},
        {"accept_type": "application/jsonlines", "probability": "odds", "label_headers": [0, 1]},
        {
            "content_type": "application/jsonlines",
            "content_template": '{"features":$features}',
            "label": "label",
        },
        {
            "content_type": "application/json",
            "content_template": '{"rows": $records}',
            "record_template": "$features_kvp",
            "label": "found[*].label",
            "probability": "found[*].odds",
        },
        {
            "content_type": "application/json",
            "content_template": '{"rows": [$record]}',
            "record_template": '{"age": ${age}, "years": ${years}}',
            "probability": "found[*].odds[1]",
        },
    ],
)
def test_predictions_are_read_in_each_form_of_an_answer(
    served: str, analyse: Analyse, forms: dict[str, Any]
) -> None:
    found = measured(analyse("DescribeEndpoint", "InvokeEndpoint", **of(served), **forms))
    assert found["DPPL"] == pytest.approx(-1.0)


@with_smclarify
def test_the_threshold_of_a_probability_is_the_analysis_own(served: str, analyse: Analyse) -> None:
    found = measured(analyse(config={**CONFIG, "probability_threshold": 0.95}, **of(served)))
    assert found["DPPL"] == pytest.approx(-1 / 3)  # only the oldest is approved


@with_smclarify
def test_a_model_that_takes_one_record_is_asked_record_by_record(host: Host, analyse: Analyse) -> None:
    first_only = LINEAR.replace("text.splitlines()", "[text]")
    ended = analyse(model_name=host.model(code=first_only))
    assert measured(ended)["DPPL"] == pytest.approx(-1.0)
    assert "Fallback to per-record prediction because of model error." in ended.printed


@with_smclarify
@pytest.mark.parametrize("action", ACTIONS)
def test_what_its_role_may_not_do_is_told(server: Server, analyse: Analyse, action: str) -> None:
    ended = analyse(*(each for each in ACTIONS if each != action))
    told = f"is not authorized to perform: sagemaker:{action} on resource: "
    if action.startswith("Delete"):
        assert ended.exit_code == 0 and "is left, delete it yourself: " in ended.printed
        assert told in ended.printed
        clear(server)
    else:
        assert ended.exit_code == 1 and told in ended.message, ended.printed
    assert left(server) == []


@with_smclarify
def test_a_model_that_cannot_be_served_fails_the_analysis(
    server: Server, host: Host, analyse: Analyse
) -> None:
    ended = analyse(model_name=host.model(code="raise RuntimeError('no such library')\n"))
    assert ended.exit_code == 1
    assert "The shadow endpoint is Failed: The primary container for production variant" in ended.message
    assert left(server) == []


@with_smclarify
def test_a_job_that_is_stopped_deletes_its_endpoint(server: Server, host: Host, tmp_path: Path) -> None:
    slow = host.model(code=LINEAR.replace("def predict_fn(rows, factor):", f"{SLOW}\n        time.sleep(60)"))
    job, keys = AnalyserJob(tmp_path), server.user(allowing(*(f"sagemaker:{each}" for each in ACTIONS)))
    predictor = {"model_name": slow, "instance_type": "ml.m5.large", "initial_instance_count": 1}
    with job.started(DATA, {**CONFIG, "predictor": predictor}, **variables(server, keys)) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "is in service" in line:
                break
        running.terminate()
        printed = running.stdout.read()
    assert running.returncode == 143 and "Signal 15 received, cleaning up" in printed, printed
    assert left(server) == []


STOPPED_IN_A_LINE = """
import io, os, signal, sys
from passrole.runtimes.programs.analysers import predictor, results

class Stopping(io.FileIO):
    def write(self, line):
        if signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN):
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(line)

sys.stdout = io.TextIOWrapper(io.BufferedWriter(Stopping(1, "w")))
with predictor._signalled():
    results.say("the shadow endpoint is in service")
"""


def test_a_job_may_be_stopped_while_it_writes_a_line() -> None:
    ended = subprocess.run([sys.executable, "-c", STOPPED_IN_A_LINE], capture_output=True, timeout=60)
    assert ended.returncode == 143 and b"Signal 15 received, cleaning up\n" in ended.stdout, ended.stderr


@with_shap
def test_shap_values_are_of_the_feature_that_counts(server: Server, analyse: Analyse, tmp_path: Path) -> None:
    ended = analyse(config={**CONFIG, "methods": {"shap": SHAP}}, dataset=DATA[: len(DATA) // 10])
    assert ended.exit_code == 0, ended.printed
    (label,) = ended.results["analysis.json"]["explanations"]["kernel_shap"].items()
    name, values = label
    assert name == "label0" and values["expected_value"] == pytest.approx(0.5)
    odds = [1 / (1 + math.exp(-2 * (age - 40) / 10)) for _, age, _ in ROWS]
    expected = sum(abs(each - 0.5) for each in odds) / len(odds)
    assert values["global_shap_values"]["age"] == pytest.approx(expected)
    assert values["global_shap_values"]["years"] == pytest.approx(0.0, abs=1e-9)
    lines = (tmp_path / "processing/output/explanations_shap/out.csv").read_text().splitlines()
    assert lines[0] == "age_label0,years_label0" and len(lines) == 1 + len(ROWS)
    assert float(lines[1].split(",")[0]) == pytest.approx(odds[0] - 0.5)
    assert left(server) == []
