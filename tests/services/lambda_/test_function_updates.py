"""UpdateFunctionCode and UpdateFunctionConfiguration: shape, refusals, effect."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop


def result(workshop: Workshop, name: str, **parameters: Any) -> Any:
    return json.load(workshop.client.invoke(FunctionName=name, **parameters)["Payload"])


def test_new_code_runs_from_the_next_invocation_on(workshop: Workshop) -> None:
    name = workshop.create("return 'old'")
    before = workshop.client.get_function_configuration(FunctionName=name)
    assert result(workshop, name) == "old"
    answer = workshop.client.update_function_code(FunctionName=name, ZipFile=workshop.zip("return 'new'"))
    assert (answer["LastUpdateStatus"], answer["LastUpdateStatusReasonCode"]) == ("InProgress", "Creating")
    assert result(workshop, name) == "new"
    after = workshop.client.get_function_configuration(FunctionName=name)
    assert after["LastUpdateStatus"] == "Successful"
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["RevisionId"] != before["RevisionId"]
    place = workshop.server.data / "functions" / workshop.server.region / name
    workshop.waited(lambda: len(list(place.iterdir())) == 1)


SLOW = """
import os, time

def handler(event, context):
    open(f"{event}/began", "w").close()
    while not os.path.exists(f"{event}/gate"):
        time.sleep(0.02)
    import late
    return late.VALUE
"""


def test_what_runs_finishes_with_the_code_it_began_with(workshop: Workshop, tmp_path: Path) -> None:
    archive = workshop.zip_files({"h.py": SLOW, "late.py": "VALUE = 'old'"})
    name = workshop.create(Code={"ZipFile": archive}, Timeout=60)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(result, workshop, name, Payload=json.dumps(str(tmp_path)))
        eventually((tmp_path / "began").exists)
        workshop.client.update_function_code(FunctionName=name, ZipFile=workshop.zip("return 'new'"))
        assert result(workshop, name) == "new"
        (tmp_path / "gate").touch()
        assert running.result() == "old"


def test_configuration_changes_what_is_given_and_nothing_else(workshop: Workshop) -> None:
    name = workshop.create("import os; return os.environ.get('KEY')", Description="stays", Timeout=5)
    assert result(workshop, name) is None
    answer = workshop.client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"KEY": "v"}}, MemorySize=256
    )
    assert answer["LastUpdateStatus"] == "InProgress"
    assert (answer["Description"], answer["Timeout"], answer["MemorySize"]) == ("stays", 5, 256)
    assert result(workshop, name) == "v"


def test_a_dry_run_checks_the_code_and_changes_nothing(workshop: Workshop) -> None:
    name = workshop.create("return 'old'")
    workshop.client.update_function_code(FunctionName=name, ZipFile=workshop.zip("return 1"), DryRun=True)
    assert result(workshop, name) == "old"
    call = lambda: workshop.client.update_function_code(FunctionName=name, ZipFile=b"no", DryRun=True)  # noqa: E731
    assert refusal(call)[0] == "InvalidParameterValueException"


@pytest.mark.parametrize("update", ["update_function_code", "update_function_configuration"])
def test_a_stale_revision_is_refused(workshop: Workshop, update: str) -> None:
    name = workshop.create()
    change = {"ZipFile": workshop.zip("pass")} if update.endswith("code") else {"Timeout": 9}
    call = getattr(workshop.client, update)
    revision = workshop.client.get_function_configuration(FunctionName=name)["RevisionId"]
    assert (
        refusal(lambda: call(FunctionName=name, RevisionId="stale", **change))[0]
        == "PreconditionFailedException"
    )
    call(FunctionName=name, RevisionId=revision, **change)
    assert (
        refusal(lambda: call(FunctionName=name, RevisionId=revision, **change))[0]
        == "PreconditionFailedException"
    )


@pytest.mark.parametrize("update", ["update_function_code", "update_function_configuration"])
def test_nothing_to_update_is_not_found(workshop: Workshop, update: str) -> None:
    change = {"ZipFile": workshop.zip("pass")} if update.endswith("code") else {"Timeout": 9}
    call = getattr(workshop.client, update)
    expected = ("ResourceNotFoundException", f"Function not found: {workshop.arn('nowhere')}")
    assert refusal(lambda: call(FunctionName="nowhere", **change)) == expected


def test_a_new_role_must_be_passed_and_assumable(workshop: Workshop) -> None:
    name = workshop.create()
    role = workshop.server.role(trust="lambda.amazonaws.com")
    only_lambda = {
        "Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}],
        "Version": "2012-10-17",
    }
    client = workshop.server.client("lambda", user_policy=only_lambda)
    code, message = refusal(lambda: client.update_function_configuration(FunctionName=name, Role=role))
    assert (code, "iam:PassRole" in message) == ("AccessDeniedException", True)
    stranger = workshop.server.role(trust="ec2.amazonaws.com")
    call = lambda: workshop.client.update_function_configuration(FunctionName=name, Role=stranger)  # noqa: E731
    assert refusal(call)[0] == "InvalidParameterValueException"
    workshop.client.update_function_configuration(FunctionName=name, Role=role)
    assert workshop.client.get_function_configuration(FunctionName=name)["Role"] == role
