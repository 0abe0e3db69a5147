"""Two servers with data folders of their own on one database: what one was told the other one knows."""

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from tests.conftest import Server, zipped
from tests.console.conftest import SETTINGS, Browser, Console, console_of
from tests.eventually import eventually
from tests.policies import allowing
from tests.postgres import Cluster
from tests.refusals import refusal_with_status

from passrole.cli import main
from passrole.store.contents import PIECE_BYTES

ELSEWHERE = {
    "s3_endpoint": "http://127.0.0.1:9",
    "s3_access_key_id": "nobody",
    "s3_secret_access_key": "nothing",
}
"""Where several servers have their objects; these tests have none."""

_numbers = itertools.count(1)


class Two(NamedTuple):
    """Two servers, and their database."""

    one: Server
    other: Server
    url: str
    start: Callable[[str], Server]


@pytest.fixture(scope="module")
def two(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    yield from pair(postgres, tmp_path_factory.mktemp("two"))


@pytest.fixture
def mortal(postgres: Cluster, tmp_path: Path) -> Iterator[Two]:
    """Of a test's own."""
    yield from pair(postgres, tmp_path)


def pair(postgres: Cluster, folder: Path) -> Iterator[Two]:
    url = postgres.create(f"two_servers_{next(_numbers)}")
    with ExitStack() as stack:

        def start(name: str) -> Server:
            server = Server(folder / name, **SETTINGS, **ELSEWHERE, store=url)
            stack.callback(lambda: server.process.poll() is None and server.stop())
            return server

        yield Two(start("one"), start("other"), url, start)


def code(text: str, **more: str) -> bytes:
    return zipped({"main.py": f"def handler(event, context):\n    {text}\n", **more})


def said(server: Server, name: str, **given: Any) -> Any:
    answer = server.client("lambda").invoke(FunctionName=name, **given)
    found = json.load(answer["Payload"])
    assert "FunctionError" not in answer, found
    return found


def status(server: Server, name: str) -> int:
    found: int = refusal_with_status(lambda: server.client("lambda").invoke(FunctionName=name))[0]
    return found


def counted(url: str, table: str) -> int:
    import psycopg

    with closing(psycopg.connect(url)) as database:
        row = database.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_both_have_the_same_administrator(two: Two) -> None:
    assert two.one.access == two.other.access


def test_a_function_runs_on_the_server_that_was_not_sent_it(two: Two) -> None:
    before = counted(two.url, "content_pieces")
    two.one.function("f", "def handler(event, context): return 'first'")
    assert said(two.other, "f") == "first"
    here, there = two.one.client("lambda"), two.other.client("lambda")
    there.publish_version(FunctionName="f")
    there.update_function_code(FunctionName="f", ZipFile=code("return 'second'"))
    there.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    for server in (two.one, two.other):
        found = [said(server, "f", Qualifier=each) for each in ("$LATEST", "1", "live")]
        assert found == ["second", "first", "first"]
    given = {"Variables": {"KEY": "value"}}
    here.update_function_configuration(FunctionName="f", Environment=given)
    assert there.get_function_configuration(FunctionName="f")["Environment"] == given
    there.delete_function(FunctionName="f")
    assert [status(server, "f") for server in (two.one, two.other)] == [404, 404]
    assert counted(two.url, "content_pieces") == before


def test_layers_are_attached_on_the_server_that_was_not_sent_them(two: Two) -> None:
    here, there = two.one.client("lambda"), two.other.client("lambda")
    layers = [
        here.publish_layer_version(
            LayerName=name, Content={"ZipFile": zipped({f"python/{name}.py": f"SAID = {name!r}"})}
        )["LayerVersionArn"]
        for name in ("below", "above")
    ]
    source = "import above, below\n\ndef handler(event, context): return [below.SAID, above.SAID]"
    two.other.function("layered", source, Layers=layers)
    here.delete_layer_version(LayerName="below", VersionNumber=1)
    for server in (two.other, two.one):
        assert said(server, "layered") == ["below", "above"]
    there.update_function_configuration(FunctionName="layered", Layers=layers[1:])
    two.one.function(
        "above", "import above\n\ndef handler(event, context): return above.SAID", Layers=layers[1:]
    )
    assert said(two.other, "above") == "above"


def test_a_large_function_holds_nobody_up_and_runs_elsewhere(mortal: Two) -> None:
    large = code("return len(open('large').read())", large=os.urandom(6 * PIECE_BYTES).hex())
    made = {"Runtime": "python3.11", "Role": mortal.one.access["lambda_role_arn"], "Handler": "main.handler"}
    with ThreadPoolExecutor(4) as pool:
        creating = [
            pool.submit(
                server.client("lambda").create_function, FunctionName=name, Code={"ZipFile": large}, **made
            )
            for server, name in ((mortal.one, "f"), (mortal.other, "g"))
        ]
        eventually(lambda: counted(mortal.url, "content_pieces") > 1)
        mortal.other.client("sqs").create_queue(QueueName="meanwhile")
        assert all(each.result()["State"] == "Pending" for each in creating)
    assert counted(mortal.url, "contents") == 1
    assert [said(mortal.one, "g"), said(mortal.other, "f")] == [12 * PIECE_BYTES] * 2
    mortal.one.client("lambda").delete_function(FunctionName="f")
    assert said(mortal.start("third"), "g") == 12 * PIECE_BYTES


def test_who_is_killed_while_it_is_sent_a_function_leaves_none(mortal: Two) -> None:
    large = code("return 1", large=os.urandom(12 * PIECE_BYTES).hex())
    made = {"Runtime": "python3.11", "Role": mortal.one.access["lambda_role_arn"], "Handler": "main.handler"}
    asked = {"FunctionName": "f", "Code": {"ZipFile": large}, **made}
    with ThreadPoolExecutor(1) as pool:
        creating = pool.submit(mortal.one.client("lambda").create_function, **asked)
        eventually(lambda: counted(mortal.url, "content_pieces") > 1)
        mortal.one.kill()
        assert creating.exception() is not None
    assert status(mortal.other, "f") == 404
    mortal.other.client("lambda").create_function(**asked)
    mortal.one.start()
    assert said(mortal.one, "f") == 1


def test_a_server_that_starts_takes_nothing_that_others_have_just_written(mortal: Two) -> None:
    over = threading.Event()

    def create(server: Server) -> list[str]:
        names = list[str]()
        while not over.is_set() or not names:
            names.append(f"{server.data.name}-{len(names)}")
            server.function(names[-1], f"def handler(event, context): return {names[-1]!r}")
        return names

    with ThreadPoolExecutor(2) as pool:
        creating = [pool.submit(create, server) for server in (mortal.one, mortal.other)]
        try:
            third = mortal.start("third")
            mortal.one.client("lambda").list_functions()
        finally:
            over.set()
        names = [name for each in creating for name in each.result()]
    for name in names:
        assert [said(server, name) for server in (third, mortal.one)] == [name] * 2


def test_a_session_of_one_is_one_at_the_other(two: Two) -> None:
    user = two.one.user(allowing("sts:AssumeRole"))
    role = two.one.role([allowing("sqs:*")], trust="sagemaker.amazonaws.com")
    two.one.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"AWS": f"arn:aws:iam::{two.one.account}:root"},
                    }
                ],
            }
        ),
    )
    sts = two.one.client_with("sts", user["access_key_id"], user["secret_access_key"])
    given = sts.assume_role(RoleArn=role, RoleSessionName="here")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    there = two.other.client_with("sts", *keys).get_caller_identity()
    assert there["Arn"].endswith("/here")
    two.other.client_with("sqs", *keys).create_queue(QueueName="theirs")
    assert two.one.client_with("sqs", *keys).get_queue_url(QueueName="theirs")["QueueUrl"]


def test_a_key_of_kms_is_one_at_the_other(two: Two) -> None:
    key = two.one.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = two.one.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert two.other.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_who_signed_in_to_the_console_of_one_is_signed_in_to_the_other_s(two: Two) -> None:
    here, there = console_of(two.one), console_of(two.other)
    link = here.link().replace(here.url, there.url)
    browser = Browser(there.url)
    assert browser.get(link).status == 200
    elsewhere = Browser(here.url)
    elsewhere.cookies = {  # their names have the port, which is one where there are several machines
        name.replace(port(there), port(here)): value for name, value in browser.cookies.items()
    }
    assert elsewhere.get("/").status == 200
    assert Browser(here.url).get(link.replace(there.url, here.url)).status != 200, "a link opens once"


def test_who_trusts_the_authority_of_one_trusts_the_other(two: Two) -> None:
    authorities = {(server.data / "ca.pem").read_bytes() for server in (two.one, two.other)}
    assert len(authorities) == 1


def port(console: Console) -> str:
    return console.url.rpartition(":")[2]


def test_explain_finds_a_denial_whichever_server_answered(
    mortal: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSROLE_STORE", mortal.url)

    def explained(folder: Path, request_id: str) -> bool:
        asked = ["explain", "--data", str(folder), "--request-id", request_id]
        result = CliRunner().invoke(main, asked, prog_name="passrole")
        assert result.exit_code in (1, 2), result.output  # 2: it is not copied yet
        return result.exit_code == 1 and "denied  sqs:ListQueues" in result.stdout

    denied = dict[str, str]()
    for server in (mortal.one, mortal.other):
        with pytest.raises(ClientError) as caught:
            server.client("sqs", allowing("s3:*")).list_queues()
        denied[server.data.name] = caught.value.response["ResponseMetadata"]["RequestId"]
    for name, request_id in denied.items():
        assert explained(tmp_path / name, request_id), "its own lines are there at once"
    assert eventually(lambda: explained(mortal.other.data, denied["one"]))
    mortal.one.kill()
    mortal.other.stop()
    for folder in (mortal.one.data, tmp_path / "neither"):
        assert all(explained(folder, each) for each in denied.values()), "while no server runs"
