"""`passrole policy generate`: documents that IAM takes, from a definition and from the audit trail."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server

from passrole.cli import main

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/service-role/x"
ECHO = "def handler(event, context):\n    return event\n"
Write = Callable[[str, Any], str]


def generate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", "generate", *arguments], prog_name="passrole")


def pipeline(*steps: dict[str, Any]) -> dict[str, Any]:
    queue = {"Name": "Queue", "Type": "String"}
    return {"Version": "2020-12-01", "Parameters": [queue], "Steps": list(steps)}


def invoking(function: str) -> dict[str, Any]:
    return {"Name": "Run", "Type": "Lambda", "FunctionArn": function, "Arguments": {}}


ASKING = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": {"Get": "Parameters.Queue"}, "Arguments": {}}


def test_what_is_written_for_the_role_and_the_caller_passes_check(write: Write) -> None:
    file = write("p.json", pipeline(invoking(FUNCTION + "f"), ASKING))
    documents = {whose: generate(file, "--for", whose).stdout for whose in ("role", "caller", "trust")}
    named = {whose: write(f"{whose}.json", text) for whose, text in documents.items()}
    options = [*("--policy", named["role"]), *("--caller", named["caller"]), *("--trust", named["trust"])]
    checked = CliRunner().invoke(main, ["check", file, *options])
    assert (checked.exit_code, checked.stdout.splitlines()[-1]) == (0, "7 of 7 allowed")


def test_a_document_is_json_alone_and_notes_are_on_stderr(write: Write) -> None:
    result = generate(write("p.json", pipeline(ASKING)), "--for", "role")
    (statement,) = json.loads(result.stdout)["Statement"]
    assert statement == {
        "Sid": "QueuesKnownAtRunTime",
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": "arn:aws:sqs:us-east-1:111122223333:*",
    }
    assert "(step `Ask`) is known only at run time" in result.stderr


def test_parameters_role_place_and_name_come_from_the_options(write: Write) -> None:
    file = write("p.json", pipeline(ASKING))
    result = generate(
        *(file, "-p", "Queue=https://queue/approvals", "--role", ROLE, "--name", "mine"),
        *("--account", "123456789012", "--region", "eu-west-1", "--format", "json"),
    )
    found = json.loads(result.stdout)
    assert list(found) == ["role", "caller", "trust", "notes"]
    (queue,) = found["role"]["Statement"]
    assert queue["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:approvals"
    own, passing = found["caller"]["Statement"]
    assert own["Resource"] == "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/mine"
    assert passing["Resource"] == ROLE
    assert [note.partition(",")[0] for note in found["notes"]] == [
        f"left out: sagemaker:AddTags on {own['Resource']}"
    ]


def test_the_text_has_each_document_under_its_title_and_no_escapes(write: Write) -> None:
    steps = [invoking("f"), {"Name": "\x1b[31m", "Type": "Athena"}]
    lines = generate(write("p.json", pipeline(*steps))).stdout.splitlines()
    titles = [line.partition(":")[0] for line in lines if line[0] not in " {}"]
    assert titles == ["role", "caller", "trust", "note", "note", "note"]
    assert not any("\x1b" in line for line in lines)
    assert any("step `?[31m`: what a step of type `Athena` needs is not known" in line for line in lines)


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        ("", 2, "pass a DEFINITION or --from-executions"),
        ("none.json", 2, "there is no file `none.json`"),
        ("{empty}", 2, "has no list of `Steps`"),
        ("{idle} -p X=1", 2, "has no parameter `X`"),
        ("{idle} --for role", 1, "the role needs no permission"),
        ("--from-executions -p X=1", 2, "leave out -p"),
        ("--from-executions --data {folder}", 2, "has no audit trail"),
        ("--from-executions --data {folder} nonsense", 2, "is not the ARN of an execution"),
        (
            "--from-executions --for caller --data {trail}",
            2,
            "writes the role's policy only; leave out --for caller",
        ),
        ("--from-executions --role other --data {trail}", 2, "no call of an execution with the role `other`"),
        ("--from-executions --data {broken}", 2, "has a line that is not JSON"),
        ("--from-executions --data {two}", 2, "the trail has several roles: x, y; choose one with --role"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    write: Write, tmp_path: Path, arguments: str, code: int, message: str
) -> None:
    files = {
        "empty": write("empty.json", {}),
        "idle": write("idle.json", pipeline()),
        "folder": str(tmp_path),
        "trail": trail(tmp_path / "trail", called("x")),
        "two": trail(tmp_path / "two", called("y"), called("x")),
        "broken": trail(tmp_path / "broken", "arn:aws:sts::1:assumed-role/x/sagemaker-pipeline-e1-Step"),
    }
    result = generate(*arguments.format(**files).split())
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def called(
    role: str, session: str = "sagemaker-pipeline-e1-Step", allowed: bool = True, **check: Any
) -> dict[str, Any]:
    asked = {"action": "lambda:GetFunction", "resource": FUNCTION + "f", "allowed": allowed, **check}
    principal = f"arn:aws:sts::123456789012:assumed-role/{role}/{session}"
    return {"time": 1.0, "request_id": "r", "principal": principal, "checks": [asked]}


def trail(folder: Path, *lines: Any) -> str:
    folder.mkdir()
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "audit.jsonl").write_text("".join(f"{text}\n" for text in texts) + '{"half": "assumed-role')
    return str(folder)


def test_only_what_sessions_of_sagemaker_were_allowed_counts(tmp_path: Path) -> None:
    folder = trail(
        tmp_path / "data",
        called("x"),
        called("x"),
        called("x", session="somebody", action="s3:GetObject"),
        called("x", allowed=False, action="sqs:SendMessage"),
        called("x", action="iam:PassRole", resource=ROLE, passed_to="ec2.amazonaws.com"),
        {
            "time": 1.0,
            "principal": "arn:aws:iam::123456789012:user/assumed-role/x/sagemaker-pipeline-e1-Step",
            "checks": [],
        },
    )
    (tmp_path / "data" / "audit.jsonl.1").write_text(
        json.dumps(called("x", action="lambda:InvokeFunction")) + "\n"
    )
    document = json.loads(generate("--from-executions", "--data", folder, "--for", "role").stdout)
    assert [(each["Action"], each.get("Condition")) for each in document["Statement"]] == [
        (["lambda:InvokeFunction", "lambda:GetFunction"], None),
        ("iam:PassRole", {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
    ]


def test_a_role_with_what_its_execution_was_allowed_runs_it_again(server: Server) -> None:
    function = server.function("generated-echo", ECHO)
    every = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    role, sagemaker = server.role([every]), server.client("sagemaker")
    name = role.rpartition("/")[2]
    sagemaker.create_pipeline(
        PipelineName="generated", RoleArn=role, PipelineDefinition=json.dumps(pipeline(invoking(function)))
    )

    def status() -> Any:
        started = sagemaker.start_pipeline_execution(
            PipelineName="generated", PipelineParameters=[{"Name": "Queue", "Value": "none"}]
        )["PipelineExecutionArn"]
        return started, server.finished(started)["PipelineExecutionStatus"]

    execution, first = status()
    written = generate("--from-executions", execution, "--data", str(server.data), "--for", "role").stdout
    assert {each["Resource"] for each in json.loads(written)["Statement"]} == {function}
    iam = server.client("iam")
    iam.put_role_policy(RoleName=name, PolicyName="p0", PolicyDocument=written)
    assert (first, status()[1]) == ("Succeeded", "Succeeded")
    less = json.loads(written)
    less["Statement"][0]["Action"] = "lambda:GetFunction"
    iam.put_role_policy(RoleName=name, PolicyName="p0", PolicyDocument=json.dumps(less))
    assert status()[1] == "Failed"


def test_an_execution_of_another_role_is_told(server: Server) -> None:
    role, sagemaker = server.role(), server.client("sagemaker")
    text = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {}}]})
    sagemaker.create_pipeline(PipelineName="generated-fail", RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName="generated-fail")["PipelineExecutionArn"]
    server.finished(execution)
    result = generate("--from-executions", execution, "--role", "other", "--data", str(server.data))
    assert (result.exit_code, "not `other`" in result.stderr) == (2, True)


@pytest.fixture
def fixing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`policy generate p.json --fix role.json`, where p.json asks a queue and calls a function."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(Path(__file__).parent / "role_files" / "pipeline.json", tmp_path / "p.json")
    return lambda *more: CliRunner().invoke(
        main, ["policy", "generate", "p.json", "--fix", "role.json", *more], prog_name="passrole"
    )


def checked(policy: str) -> int:
    return CliRunner().invoke(main, ["check", "p.json", "--policy", policy]).exit_code


def test_fix_makes_the_file_and_then_lacks_nothing(fixing: Callable[..., Result]) -> None:
    made = fixing()
    assert (made.exit_code, made.stdout, made.stderr) == (0, "", "role.json is new and has 2 statements\n")
    assert checked("role.json") == 0
    before = Path("role.json").read_text()
    again = fixing()
    assert (again.stderr, Path("role.json").read_text()) == ("role.json lacks nothing\n", before)


@pytest.mark.parametrize("as_list", [True, False])
def test_fix_adds_what_is_missing_and_keeps_the_rest(fixing: Callable[..., Result], as_list: bool) -> None:
    mine = {"Sid": "Queues", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    own = {"Version": "2012-10-17", "Id": "mine", "Statement": [mine] if as_list else mine}
    Path("role.json").write_text(json.dumps(own, indent=4))
    assert (checked("role.json"), fixing().stderr) == (1, "2 statements are added to role.json\n")
    text = Path("role.json").read_text()
    fixed = json.loads(text)
    assert (fixed["Id"], fixed["Statement"][0], len(fixed["Statement"])) == ("mine", mine, 3)
    assert len({each["Sid"] for each in fixed["Statement"]}) == 3
    assert text.startswith('{\n    "Version"')
    assert checked("role.json") == 0


@pytest.mark.parametrize(
    "text, code, message",
    [
        ("a: b", 2, "is no policy document in JSON, which is all that --fix changes"),
        ('{"Role": {}}', 2, "is no policy document in JSON"),
        ("{", 2, "cannot be changed: it is not JSON"),
        (
            '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}',
            1,
            "denies lambda:InvokeFunction on arn:aws:lambda:us-east-1:111122223333:function:count, which",
        ),
    ],
)
def test_fix_changes_nothing_that_it_cannot_mend(
    fixing: Callable[..., Result], text: str, code: int, message: str
) -> None:
    Path("role.json").write_text(text)
    result = fixing()
    assert (result.exit_code, message in result.stderr, Path("role.json").read_text()) == (code, True, text)
    assert [each.name for each in Path().iterdir() if each.name.startswith(".")] == []
