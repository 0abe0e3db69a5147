"""What `passrole check` calls fine runs without a denial; what it refuses is denied at just that action.

Pipelines and roles are generated. Each pair is checked from files, as before deploying, and run on a server;
the audit trail tells what the door refused. The pairs of a batch run at once, each in a region of its own,
because the EventBridge rules of EMR steps have one name in a region and are made only once.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from tests.conftest import Server, trusting
from tests.needs.generated import (
    ACCOUNT,
    BUCKET,
    DOCUMENT,
    FUNCTIONS,
    INSTANCE_ROLE,
    INTEGRATIONS,
    OF_SAGEMAKER,
    OF_SERVERLESS,
    PARAMETERS,
    QUEUES,
    SCALING_ROLE,
    SERVICE_ROLE,
    Json,
    Pair,
    Vocabulary,
    pairs,
)
from tests.needs.generated_steps import Ground
from tests.services.emr.conftest import EC2, EMR, forget_rules

from passrole.cli import main
from passrole.config import Config
from passrole.runtimes.spark import Spark

REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2")
PAIRS, PAIRS_OF_SAGEMAKER, PAIRS_OF_SERVERLESS = 300, 120, 60
PATIENCE_SECONDS = 60.0
SCALING = "application-autoscaling.amazonaws.com"
BEFORE_REMOVAL = (
    "iam:PassRole",
    *(f"emr-serverless:{verb}" for verb in ("StartApplication", "StartJobRun", "TagResource")),
)
REMOVAL = ("emr-serverless:StopApplication", "emr-serverless:DeleteApplication")
ECHO = "def handler(event, context):\n    return event\n"
# Asked for only where an endpoint has the name already, and here each has its own.
NOT_ASKED = "sagemaker:UpdateEndpoint"

Denial = tuple[str, str]  # action, resource


class Region:
    """What the pipelines of a region speak of, and a pair that runs there."""

    def __init__(self, server: Server, name: str, folder: Path, ground: Ground) -> None:
        self.server, self.name, self.folder, self.ground = server, name, folder, ground
        ground.lay(name)
        self.sagemaker, self.sqs = self._client("sagemaker"), self._client("sqs")
        self.events, self.emr = self._client("events"), self._client("emr")
        urls = [self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES]
        self.cluster = self.emr.run_job_flow(
            Name="shared",
            ReleaseLabel="emr-7.1.0",
            Instances={"KeepJobFlowAliveWhenNoSteps": True},
            ServiceRole=SERVICE_ROLE,
            JobFlowRole=INSTANCE_ROLE,
        )["JobFlowId"]
        for function in FUNCTIONS:
            server.function(function, ECHO, region=name)
        serverless = self._client("emr-serverless")
        application = serverless.create_application(type="SPARK", releaseLabel="emr-7.1.0")["applicationId"]
        values = (name, urls[0].rpartition("/")[0], self.cluster, application)
        self.parameters = dict(zip(PARAMETERS, values, strict=True))

    def check(self, pair: Pair) -> list[Json]:
        """The needs as `passrole check` tells them."""
        role = pair.role
        texts = {"trust": role.trust} | ({"boundary": role.boundary} if role.boundary else {})
        options = [f"--{option}={self._file(option, text)}" for option, text in texts.items()]
        for number, policy in enumerate(role.policies):
            options.append(f"--policy={self._file(f'policy-{number}', policy)}")
        options += [f"--role-tag={name}={value}" for name, value in role.tags.items()]
        options += [f"-p{name}={value}" for name, value in self.parameters.items()]
        definition = self._file("pipeline", json.loads(pair.definition))
        found = CliRunner().invoke(
            main,
            ["check", str(definition), *options, "--format", "json"],
            prog_name="passrole",
            env={"PASSROLE_REGION": self.name},
        )
        assert found.exit_code in (0, 1), found.output
        answer = json.loads(found.stdout)
        assert (found.exit_code == 0, answer["unknown"]) == (answer["ok"], [])
        needs: list[Json] = answer["needs"]
        return needs

    def start(self, pair: Pair, name: str) -> str | None:
        """An execution of the pair's pipeline, with a fresh role of this name; None: SageMaker refused it."""
        forget_rules(self.events)
        role, create = self._make_role(pair, name), self.sagemaker.create_pipeline
        try:
            create(PipelineName=name, RoleArn=role, PipelineDefinition=pair.definition)
        except ClientError as refused:
            assert refused.response["Error"]["Message"].startswith(f"Could not assume role {role}. ")
            return None
        values = [{"Name": each, "Value": value} for each, value in self.parameters.items()]
        started = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=values)
        return str(started["PipelineExecutionArn"])

    def until_over(self, execution: str, pair: Pair) -> str:
        """The status in the end; callbacks are answered until then."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            status = str(found["PipelineExecutionStatus"])
            if status in ("Succeeded", "Failed"):
                return status
            for queue in pair.queues:
                self._answer(f"{self.parameters['Queues']}/{queue}")
            time.sleep(0.02)
        raise AssertionError((status, pair))

    def reasons(self, execution: str) -> str:
        """Why steps failed, and the execution where no step was to blame."""
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
        about = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return " ".join(each.get("FailureReason", "") for each in (about, *listed["PipelineExecutionSteps"]))

    def denials(self, role: str, needs: Sequence[Json]) -> list[Denial]:
        """What the door refused to sessions of the role, in order, each once, as `check` names it."""
        refused: list[Denial] = []
        for line in (self.server.data / "audit.jsonl").read_text().splitlines():
            if f":assumed-role/{role}/" in line:
                refused += [_about(check) for check in json.loads(line)["checks"] if not check["allowed"]]
        of_stops = {need["action"] for need in needs if _is_of_stops(need)}
        foreseen = (_foreseen(denial, needs) for denial in refused if denial[0] not in of_stops)
        return list(dict.fromkeys(foreseen))

    def _client(self, service: str) -> Any:
        return self.server.client(service, region=self.name)

    def _make_role(self, pair: Pair, name: str) -> str:
        iam, role = self._client("iam"), pair.role
        limit = {}
        if role.boundary:
            made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(role.boundary))
            limit = {"PermissionsBoundary": made["Policy"]["Arn"]}
        trust = json.dumps(role.trust)
        tags = [{"Key": key, "Value": value} for key, value in role.tags.items()]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags, **limit)
        arn: str = made["Role"]["Arn"]
        for number, policy in enumerate(role.policies):
            iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        return arn

    def _answer(self, url: str) -> None:
        for message in self.sqs.receive_message(QueueUrl=url).get("Messages", ()):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            token = json.loads(message["Body"])["token"]
            self.sagemaker.send_pipeline_execution_step_success(CallbackToken=token)

    def _file(self, name: str, document: Json) -> Path:
        path = self.folder / f"{self.name}-{name}.json"
        path.write_text(json.dumps(document))
        return path


def _spark_that_does_nothing(folder: Path) -> Path:
    """A job run's program ends at once, as EMR's steps do here: what is asked around it is compared."""
    program = folder / "spark" / "bin" / "spark-submit"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program.parents[1]


@pytest.fixture
def regions(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[list[Region]]:
    server = start_server(spark_home=str(_spark_that_does_nothing(tmp_path)))
    assert server.account == ACCOUNT
    iam = server.client("iam")
    for role, service in ((SERVICE_ROLE, EMR), (INSTANCE_ROLE, EC2), (SCALING_ROLE, SCALING)):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trusting(service)))
    iam.create_instance_profile(InstanceProfileName=INSTANCE_ROLE)
    iam.add_role_to_instance_profile(InstanceProfileName=INSTANCE_ROLE, RoleName=INSTANCE_ROLE)
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="r.json", Body=json.dumps(DOCUMENT))
    ground = Ground(server)
    found = [Region(server, name, tmp_path, ground) for name in REGIONS]
    yield found
    for region in found:
        region.emr.terminate_job_flows(JobFlowIds=[region.cluster])


@pytest.mark.parametrize(
    ("vocabulary", "count", "ends"),
    [
        (INTEGRATIONS, PAIRS, 8),
        (OF_SAGEMAKER, PAIRS_OF_SAGEMAKER, 8),
        (OF_SERVERLESS, PAIRS_OF_SERVERLESS, 5),
    ],
    ids=["INTEGRATIONS", "OF_SAGEMAKER", "OF_SERVERLESS"],
)
def test_every_pair_goes_as_it_was_checked(
    regions: Sequence[Region], vocabulary: Vocabulary, count: int, ends: int
) -> None:
    if vocabulary is OF_SERVERLESS and Spark(Config()).java is None:
        pytest.skip("EMR Serverless needs Java")
    outcomes: list[list[str]] = []
    numbers = itertools.count()

    @settings(
        max_examples=count // len(regions),
        deadline=None,
        verbosity=Verbosity.quiet,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(pairs(vocabulary), min_size=len(regions), max_size=len(regions)))
    def as_checked(batch: Sequence[Pair]) -> None:
        outcomes.extend(go_as_checked(regions, batch, f"pair-{next(numbers)}"))

    as_checked()
    refused = [actions for actions in outcomes if actions]
    assert len(outcomes) >= count and count // 3 <= len(refused) < count * 4 // 5
    ended_by = {actions[-1] for actions in refused}
    assert len(ended_by) >= ends, ended_by  # runs ended in many ways


def go_as_checked(regions: Sequence[Region], batch: Sequence[Pair], name: str) -> list[list[str]]:
    """The refused actions of each pair of the batch, after both ways were compared."""
    running = [(region, pair, f"{name}-{region.name}") for region, pair in zip(regions, batch, strict=True)]
    checked = [region.check(pair) for region, pair, _role in running]
    executions = [region.start(pair, role) for region, pair, role in running]
    refused: list[list[str]] = []
    for (region, pair, role), needs, execution in zip(running, checked, executions, strict=True):
        if execution is None:
            expected = expected_denials(needs, ())
            assert [action for action, _resource in expected] == ["sts:AssumeRole"], pair
        else:
            status = region.until_over(execution, pair)
            expected = expected_denials(needs, region.denials(role, needs))
            compare(region, needs, expected, status, execution, role, pair)
        refused.append([action for action, _resource in expected])
    for region in regions:
        region.ground.clear(region.name)
    return refused


def compare(
    region: Region,
    needs: Sequence[Json],
    expected: list[Denial],
    status: str,
    execution: str,
    role: str,
    pair: Pair,
) -> None:
    """The denials of a run, its status and what its steps say, with what was expected."""
    reasons = region.reasons(execution)
    assert region.denials(role, needs) == expected, (reasons, pair)
    required = {need["action"] for need in needs if need["required"]}
    fatal = [action for action, _resource in expected if action in required]
    assert status == ("Failed" if fatal or pair.fails else "Succeeded"), reasons
    worded = [f"not authorized to perform: {action} ".lower() for action in fatal]  # SQS has sqs:sendmessage
    assert all(words in reasons.lower() for words in worded), reasons


def expected_denials(needs: Iterable[Json], denied: Sequence[Denial]) -> list[Denial]:
    """What `check` refused, as far as a run comes: it ends with the first refusal that a step cannot bear.

    Of what it says may be allowed, `denied` tells whether it was.
    """
    found: list[Denial] = []
    for need in needs:
        may_be = need["verdict"] == "maybe" and _about(need) not in denied
        is_asked = need["action"] != NOT_ASKED and not _is_of_stops(need)
        if is_asked and not need["allowed"] and not may_be:
            found.append(_about(need))
            if need["required"]:
                found += _removal_after(need, needs, denied)
                break
    return list(dict.fromkeys(found))


def _removal_after(fatal: Json, needs: Iterable[Json], denied: Sequence[Denial]) -> list[Denial]:
    """What of the removal of an application is refused, which follows where its job run did not start."""
    if fatal["action"] not in BEFORE_REMOVAL or fatal["resource"].endswith(":/*"):
        return []
    return [
        _about(need)
        for need in needs
        if need["step"] == fatal["step"]
        and need["action"] in REMOVAL
        and not need["allowed"]
        and (need["verdict"] != "maybe" or _about(need) in denied)
    ]


def _about(need: Json) -> Denial:
    return need["action"], need["resource"]


def _foreseen(denial: Denial, needs: Sequence[Json]) -> Denial:
    """As `check` names it: what a step makes for itself gets its name only at run time, and is a pattern."""
    action, resource = denial
    named = [need["resource"] for need in needs if need["action"] == action]
    if resource in named:
        return denial
    return action, next((each for each in named if fnmatchcase(resource, each)), resource)


def _is_of_stops(need: Json) -> bool:
    """Asked for only when an execution is stopped, or a job that cannot be followed; the journeys do that."""
    return bool(need["when"] == "stop")
