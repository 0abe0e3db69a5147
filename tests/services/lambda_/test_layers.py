"""Layers of functions: shape, refusals, effect."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop

pytestmark = pytest.mark.usefixtures("sandboxed")

PYTHON = "python3.11"
SITE = "python/lib/python3.11/site-packages"


def published(workshop: Workshop, files: dict[str, str], name: str = "", **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = workshop.client.publish_layer_version(
        LayerName=name or new_name("layer"), Content={"ZipFile": workshop.zip_files(files)}, **given
    )
    return answer


def layer(workshop: Workshop, files: dict[str, str], name: str = "") -> str:
    arn: str = published(workshop, files, name)["LayerVersionArn"]
    return arn


def deflated(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return archive.getvalue()


def invoked(workshop: Workshop, name: str) -> Any:
    answer = workshop.client.invoke(FunctionName=name, Payload=b"null")
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


# shape


def test_a_version_is_described_as_it_was_published(workshop: Workshop) -> None:
    name = new_name("layer")
    archive = workshop.zip_files({"python/a.py": "X = 1"})
    made = workshop.client.publish_layer_version(
        LayerName=name,
        Description="what it has",
        Content={"ZipFile": archive},
        CompatibleRuntimes=[PYTHON],
        CompatibleArchitectures=["x86_64"],
        LicenseInfo="MIT",
    )
    arn = f"arn:aws:lambda:{workshop.server.region}:{workshop.server.account}:layer:{name}"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (arn, f"{arn}:1", 1)
    assert made["Content"]["CodeSize"] == len(archive)
    by_name = workshop.client.get_layer_version(LayerName=name, VersionNumber=1)
    by_arn = workshop.client.get_layer_version_by_arn(Arn=f"{arn}:1")
    for answer in (made, by_name, by_arn):
        del answer["ResponseMetadata"]
    assert made == by_name == by_arn
    assert workshop.client.get_layer_version(LayerName=arn, VersionNumber=1)["Version"] == 1


def test_versions_are_listed_the_newest_first_and_a_number_is_never_used_again(workshop: Workshop) -> None:
    name, client = new_name("layer"), workshop.client
    for runtimes in ([PYTHON], ["nodejs20.x"], [PYTHON]):
        published(workshop, {"python/a.py": ""}, name, CompatibleRuntimes=runtimes)
    client.delete_layer_version(LayerName=name, VersionNumber=3)
    assert published(workshop, {"python/a.py": ""}, name)["Version"] == 4
    client.delete_layer_version(LayerName=name, VersionNumber=3)  # AWS is content

    def numbers(**asked: Any) -> list[int]:
        pages = client.get_paginator("list_layer_versions").paginate(LayerName=name, **asked)
        return [each["Version"] for page in pages for each in page["LayerVersions"]]

    assert numbers() == numbers(PaginationConfig={"PageSize": 1}) == [4, 2, 1]
    assert numbers(CompatibleRuntime=PYTHON) == [1]
    listed = client.list_layers(CompatibleRuntime="nodejs20.x")["Layers"]
    assert [each["LatestMatchingVersion"]["Version"] for each in listed if each["LayerName"] == name] == [2]


def test_a_function_shows_its_layers(workshop: Workshop) -> None:
    first, second = (published(workshop, {f"python/{n}.py": ""}) for n in "ab")
    name = workshop.create(Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    expected = [
        {"Arn": each["LayerVersionArn"], "CodeSize": each["Content"]["CodeSize"]} for each in (first, second)
    ]
    assert workshop.client.get_function(FunctionName=name)["Configuration"]["Layers"] == expected
    workshop.client.update_function_configuration(FunctionName=name, Description="other")
    assert workshop.client.get_function_configuration(FunctionName=name)["Layers"] == expected
    workshop.client.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in workshop.client.get_function_configuration(FunctionName=name)


# refusals


def test_what_cannot_be_a_layer_is_refused(workshop: Workshop) -> None:
    name, client = new_name("layer"), workshop.client

    def refused(archive: bytes) -> str:
        return refusal(client.publish_layer_version, LayerName=name, Content={"ZipFile": archive})[0]

    for files in ({"../out.py": ""}, {"/abs.py": ""}, {"python/../../out.py": ""}):
        assert refused(workshop.zip_files(files)) == "InvalidParameterValueException"
    assert refused(b"no zip") == "InvalidParameterValueException"
    assert (
        refusal(client.get_layer_version, LayerName=name, VersionNumber=1)[0] == "ResourceNotFoundException"
    )
    assert refusal(client.list_layer_versions, LayerName=name)[0] == "ResourceNotFoundException"
    assert [each for each in client.list_layers()["Layers"] if each["LayerName"] == name] == []


def test_layers_that_a_function_cannot_have_are_refused(workshop: Workshop) -> None:
    name = new_name("layer")
    arns = [layer(workshop, {f"python/m{n}.py": ""}, name) for n in range(2)]
    prefix = f"arn:aws:lambda:{workshop.server.region}:{workshop.server.account}:layer"
    elsewhere = arns[0].replace(workshop.server.region, "eu-west-3")
    awss = f"arn:aws:lambda:{workshop.server.region}:336392948345:layer:AWSSDKPandas-Python311:2"
    many = [layer(workshop, {"python/m.py": ""}) for _ in range(6)]
    wide = layer(workshop, {f"f{number}": "" for number in range(101)})
    for layers, words in (
        (arns, "Two different versions of the same layer are not allowed"),
        ([f"{prefix}:{name}:9"], f"Layer version {prefix}:{name}:9 does not exist."),
        ([elsewhere], "Layers are not in the same region as the function."),
        ([awss], "aws lambda publish-layer-version --layer-name AWSSDKPandas-Python311"),
        (many, "Member must have length less than or equal to 5"),
        ([wide], "more than 100 files and folders at their root"),
    ):
        function = workshop.parameters(Layers=layers)
        assert words in refusal(workshop.client.create_function, **function)[1]
        missing = refusal(workshop.client.get_function, FunctionName=function["FunctionName"])
        assert missing[0] == "ResourceNotFoundException"


def test_code_and_layers_together_have_a_limit(workshop: Workshop) -> None:
    half = "0" * 131_072_001
    first, second = (
        workshop.client.publish_layer_version(
            LayerName=new_name("layer"), Content={"ZipFile": deflated({f"{name}.txt": half})}
        )["LayerVersionArn"]
        for name in "ab"
    )
    name = workshop.create(Layers=[first])
    words = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes."
    update = workshop.client.update_function_configuration
    code, message = refusal(update, FunctionName=name, Layers=[first, second])
    assert (code, words in message) == ("InvalidParameterValueException", True)
    large = deflated({"h.py": "", "large": half})
    assert words in refusal(workshop.client.update_function_code, FunctionName=name, ZipFile=large)[1]
    workshop.client.update_function_configuration(FunctionName=name, Layers=[second])


def test_who_gives_a_function_a_layer_must_be_allowed_to_read_it(workshop: Workshop) -> None:
    arn = layer(workshop, {"python/a.py": ""})
    number = int(arn.rpartition(":")[2])
    allowed = allowing("lambda:CreateFunction", "iam:PassRole")
    client = workshop.server.client("lambda", allowed)
    function = workshop.parameters(Layers=[arn])
    code, message = refusal(client.create_function, **function)
    assert (code, f"lambda:GetLayerVersion on resource: {arn}" in message) == ("AccessDeniedException", True)
    add = workshop.client.add_layer_version_permission
    named = {"LayerName": arn.rpartition(":")[0], "VersionNumber": number}
    add(**named, StatementId="one", Action="lambda:GetLayerVersion", Principal="*")
    client.create_function(**function)


def test_the_condition_key_has_the_layers(workshop: Workshop) -> None:
    good, other = (layer(workshop, {"python/a.py": ""}) for _ in range(2))
    condition = {"ForAllValues:StringLike": {"lambda:Layer": [good]}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iam:PassRole", "lambda:GetLayerVersion"], "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "lambda:CreateFunction",
                "Resource": "*",
                "Condition": condition,
            },
        ],
    }
    client = workshop.server.client("lambda", policy)
    assert (
        refusal(client.create_function, **workshop.parameters(Layers=[other]))[0] == "AccessDeniedException"
    )
    client.create_function(**workshop.parameters(Layers=[good]))


def test_a_version_has_a_policy(workshop: Workshop) -> None:
    arn, client = layer(workshop, {"python/a.py": ""}), workshop.client
    named = {"LayerName": arn.rpartition(":")[0], "VersionNumber": 1}
    given = {"Action": "lambda:GetLayerVersion", "Principal": "*", "OrganizationId": "o-1234567890"}
    assert refusal(client.get_layer_version_policy, **named)[0] == "ResourceNotFoundException"
    added = client.add_layer_version_permission(**named, StatementId="one", **given)
    statement = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    }
    assert json.loads(added["Statement"]) == statement
    got = client.get_layer_version_policy(**named)
    assert (json.loads(got["Policy"])["Statement"], got["RevisionId"]) == ([statement], added["RevisionId"])
    again = refusal(client.add_layer_version_permission, **named, StatementId="one", **given)
    assert again[0] == "ResourceConflictException"
    stale = {**named, "StatementId": "two", **given, "RevisionId": "x"}
    assert refusal(client.add_layer_version_permission, **stale)[0] == "PreconditionFailedException"
    client.remove_layer_version_permission(**named, StatementId="one")
    gone = refusal(client.remove_layer_version_permission, **named, StatementId="one")
    assert gone[0] == "ResourceNotFoundException"


# effect


def test_python_finds_its_layers_in_their_order_after_its_own_code(workshop: Workshop) -> None:
    low = layer(workshop, {"python/a.py": "X = 'low'", "python/both.py": "X = 'low'", "data/f.txt": "low"})
    high = layer(workshop, {f"{SITE}/b.py": "X = 'site'", "python/both.py": "X = 'high'", "bin/t": "#!"})
    own = layer(workshop, {"python/c.py": "X = 'layer'", "python/json.py": "raise ValueError"})
    code = """
        import a, b, both, c, json, os, sys
        return [a.X, b.X, both.X, c.X, open("/opt/data/f.txt").read(), os.path.exists("/opt/bin/t"),
                sys.path[:3], os.environ["PATH"].split(":")[-1]]
    """
    archive = workshop.zip(code)
    name = workshop.create(Code={"ZipFile": archive}, Layers=[low, high, own], Runtime=PYTHON)
    paths = ["/var/task", f"/opt/{SITE}", "/opt/python"]
    expected = ["low", "site", "high", "layer", "low", True, paths, "/opt/bin"]
    assert invoked(workshop, name) == expected
    workshop.client.update_function_configuration(FunctionName=name, Layers=[high, low, own])
    assert invoked(workshop, name)[2] == "low"


def test_a_version_of_a_function_keeps_layers_that_are_deleted(workshop: Workshop) -> None:
    arn = layer(workshop, {"python/a.py": "X = 'kept'"})
    name = workshop.create("import a; return a.X", Layers=[arn])
    number = workshop.client.publish_version(FunctionName=name)["Version"]
    workshop.client.update_function_configuration(FunctionName=name, Layers=[])
    workshop.client.delete_layer_version(LayerName=arn.rpartition(":")[0], VersionNumber=1)
    assert invoked(workshop, f"{name}:{number}") == "kept"
    answer = workshop.client.invoke(FunctionName=name, Payload=b"null")
    assert "No module named 'a'" in answer["Payload"].read().decode()


def test_a_layer_cannot_be_written_to(workshop: Workshop) -> None:
    arn = layer(workshop, {"python/a.py": "X = 1"})
    body = """
        try:
            open("/opt/python/a.py", "w")
        except OSError as error:
            return type(error).__name__
    """
    assert invoked(workshop, workshop.create(body, Layers=[arn])) == "OSError"


@pytest.mark.skipif(shutil.which("node", path="/usr/bin:/bin") is None, reason="Node.js is not installed")
def test_javascript_finds_its_layers_by_require_and_by_import(workshop: Workshop) -> None:
    old = "nodejs/node_modules/old"
    esm = "nodejs/node20/node_modules/esm"
    arn = layer(
        workshop,
        {
            f"{old}/index.js": "module.exports = 'old';",
            f"{esm}/package.json": json.dumps({"type": "module", "exports": "./m.js"}),
            f"{esm}/m.js": "export default 'esm';",
        },
    )
    for file, source in (
        ("index.js", "exports.handler = async () => [require('old')];"),
        (
            "index.mjs",
            "import esm from 'esm'; import old from 'old'; export const handler = async () => [old, esm];",
        ),
    ):
        name = workshop.create(
            Code={"ZipFile": workshop.zip_files({file: source})},
            Handler="index.handler",
            Runtime="nodejs20.x",
            Layers=[arn],
        )
        assert invoked(workshop, name) == (["old"] if file == "index.js" else ["old", "esm"])


def test_a_start_removes_the_layers_that_nobody_has(tmp_path: Path) -> None:
    own = Server(tmp_path / "data")
    try:
        workshop = Workshop(own)
        kept, gone, used = (layer(workshop, {f"python/{n}.py": f"X = {n!r}"}) for n in "kgu")
        name = workshop.create("import u; return u.X", Layers=[used, kept])
        for arn in (gone, used):
            workshop.client.delete_layer_version(LayerName=arn.rpartition(":")[0], VersionNumber=1)
        assert len(list((own.data / "layers").iterdir())) == 4
        own.kill()
        own.start()
        assert len(list((own.data / "layers").iterdir())) == 2  # `kept`, and what the function has
        assert invoked(workshop, name) == "u"
    finally:
        own.kill()
