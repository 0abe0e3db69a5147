"""`passrole logs` of every type of step that runs a program: what the program wrote."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.cli.pipelines.test_logs import SAY, followed, logs
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.journeys.test_check_steps import Checks
from tests.journeys.test_emr import on_a_cluster
from tests.journeys.test_emr_serverless import step as job_run
from tests.journeys.test_endpoint_steps import config, endpoint
from tests.journeys.test_job_steps import Pipelines
from tests.policies import allowing
from tests.runtimes.programs.analyser_job import WITH_PANDAS
from tests.services.emr.conftest import Fleet
from tests.services.emr_serverless.conftest import SPARK_SECONDS
from tests.services.emr_serverless.conftest import Workshop as Serverless
from tests.services.sagemaker.hosting.conftest import TIMES, Host
from tests.services.sagemaker.jobs.transforms import ECHO, Transforms
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.definition.kinds import KINDS
from passrole.definition.steps import FollowedStep

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]
Step = dict[str, Any]


class Steps:
    """One step of each type that runs a program, and what that program writes."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pipelines = Pipelines(Workshop(server))
        self.shop = self.pipelines.workshop
        self.shop.put(data__a="1\n")
        self._ends: list[Callable[[], None]] = []

    def close(self) -> None:
        for end in self._ends:
            end()

    def lambda_(self) -> list[Step]:
        function = self.server.function(f"sagemaker-{new_name('says')}", SAY)
        return [{"Name": "One", "Type": "Lambda", "FunctionArn": function, "Arguments": {"n": "it"}}]

    def processing(self) -> list[Step]:
        return [self.pipelines.processing("One", "echo saw it")]

    def training(self) -> list[Step]:
        return [self.pipelines.training("One", "echo saw it", f"s3://{self.shop.bucket}/data/")]

    def tuning(self) -> list[Step]:
        request = self.shop.tuning('echo saw it; echo "loss=$2;"', {})
        del request["HyperParameterTuningJobName"]
        return [{"Name": "One", "Type": "Tuning", "Arguments": request}]

    def transform(self) -> list[Step]:
        transforms = Transforms(self.shop)
        request = transforms.request(transforms.model(ECHO.replace("asked", "saw it, asked")), "data/")
        del request["TransformJobName"]
        return [{"Name": "One", "Type": "Transform", "Arguments": request}]

    def quality(self, **members: Any) -> list[Step]:
        if WITH_PANDAS is None:
            pytest.skip("no interpreter has pandas")
        checks = Checks(self.server)
        return [checks.step(checks.role_of_jobs("s3:*"), **members)]

    def clarify(self) -> list[Step]:
        return self.quality(CheckType="DATA_BIAS")

    def emr(self) -> list[Step]:
        fleet = Fleet(self.server)
        self._ends.append(fleet.end)
        return [on_a_cluster(fleet.run(), "echo saw it", "One")]

    def serverless(self) -> list[Step]:
        made = Serverless(self.server)
        return [{**job_run(made, "print('saw it')", application=made.application()), "Name": "One"}]

    def endpoint(self) -> list[Step]:
        host, name = Host(self.server), new_name("logged")
        self._ends += [lambda: host.gone(name), host.close]
        model = host.model(code=TIMES.replace("import json", "import json; print('saw it')"))
        return [config(model, name), {**endpoint(name), "Name": "One"}]


WRITES: Mapping[str, tuple[Callable[[Steps], list[Step]], str]] = {
    "Lambda": (Steps.lambda_, "saw it"),
    "Processing": (Steps.processing, "saw it"),
    "Training": (Steps.training, "saw it"),
    "Tuning": (Steps.tuning, "saw it"),
    "Transform": (Steps.transform, "saw it"),
    "QualityCheck": (Steps.quality, "passrole"),
    "ClarifyCheck": (Steps.clarify, "passrole"),
    "EMR": (Steps.emr, "saw it"),
    "EMRServerless": (Steps.serverless, "saw it"),
    "Endpoint": (Steps.endpoint, "saw it"),
}
"""Types whose steps run a program, a step of each, and what its log has."""


@pytest.fixture(scope="module")
def steps(server: Server) -> Iterator[Steps]:
    made = Steps(server)
    yield made
    made.close()


def test_the_table_has_each_type_that_runs_a_program() -> None:
    running = {name for name, kind in KINDS.items() if issubclass(kind.step, FollowedStep)}
    assert set(WRITES) == running | {"Lambda"}


@pytest.mark.parametrize("type_", WRITES)
def test_what_a_program_wrote_is_shown(steps: Steps, type_: str, request: pytest.FixtureRequest) -> None:
    make, text = WRITES[type_]
    if type_ == "EMRServerless":
        request.getfixturevalue("spark")
    execution = run(steps.server, make(steps))
    if type_ == "Endpoint":  # it is in service before its first line is in the log
        eventually(lambda: not logs(steps.server, execution, "One").stderr)
    shown = (
        followed(steps.server, execution, "One")
        if type_ == "Lambda"
        else logs(steps.server, execution, "One")
    )
    assert (shown.exit_code, shown.stderr) == (0, "")
    lines = [line.split("  ", 2) for line in shown.stdout.splitlines()]
    assert {source.partition("/")[0] for _, source, _ in lines} == {"One"}
    assert any(text in line for *_, line in lines), shown.stdout


def run(server: Server, steps: list[Step]) -> str:
    """The ARN of an execution of these steps that is over."""
    sagemaker, name = server.client("sagemaker"), new_name("logged")
    definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
    role = server.role([allowing("*")])
    sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=definition)
    arn = str(sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])
    server.finished(arn, SPARK_SECONDS)
    return arn
