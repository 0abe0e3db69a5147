"""The page /compare: two executions side by side."""

import json

import pytest
from tests.console.conftest import Browser, Console, Wait, hidden

HOSTILE = "<script>alert(1)</script>"


def second(browser: Browser, pipeline: str, **parameters: str) -> str:
    """The id of another execution of the pipeline, started by its form."""
    page = browser.get(f"/pipelines/{pipeline}")
    fields = {f"parameter.{name}": value for name, value in parameters.items()}
    assert browser.post(f"/pipelines/{pipeline}/start", {"token": hidden(page.text, "token"), **fields})
    newest = browser.get(f"/pipelines/{pipeline}.json").json["executions"][0]
    return str(newest["PipelineExecutionArn"].rpartition("/")[2])


def test_what_differs_is_told_first(console: Console, admin: Browser, wait: Wait) -> None:
    parameters = [
        {"Name": "A", "Type": "String", "DefaultValue": "same"},
        {"Name": "N", "Type": "Integer", "DefaultValue": 3},
    ]
    left = wait(Parameters=parameters)
    right = second(admin, left.pipeline, A="same", N="7")
    answer = {"decision": "approve", "output.Score": "0.9", "output.Note": "fine"}
    assert admin.post(f"/approvals/callbacks/{left.id}/Review/1", answer).status == 200
    console.server.finished(left.arn)
    path = f"/compare?left={left.id}&right={right}"
    found = admin.get(path.replace("?", ".json?")).json["compared"]
    assert [(row["name"], row["left"], row["right"]) for row in found["parameters"]] == [
        ("N", "3", "7"),
        ("A", "same", "same"),
    ]
    assert [row["differs"] for row in found["parameters"]] == [True, False]
    assert found["took"]["change"] == found["took"]["right"] - found["took"]["left"]
    steps = {each["name"]: each for each in found["steps"]}
    assert (steps["Review"]["differs"], steps["Review"]["left"]["status"]) == (True, "Succeeded")
    assert steps["Review"]["seconds"]["change"] is not None
    assert steps["Review"]["right"]["status"] in ("Executing", "Waiting")
    assert steps["Review"]["defined_otherwise"] is False
    assert ("Review.Score", "0.9", None) in [
        (row["name"], row["left"], row["right"]) for row in found["outputs"]
    ]
    page = admin.get(path).text
    assert "1 of 2 differ" in page
    assert f'href="/executions/{left.id}/steps/Review"' in page


def test_a_step_that_is_defined_otherwise_says_so(console: Console, admin: Browser, wait: Wait) -> None:
    left = wait({"model": "m-1"})
    sagemaker = console.server.client("sagemaker")
    definition = json.loads(sagemaker.describe_pipeline(PipelineName=left.pipeline)["PipelineDefinition"])
    definition["Steps"][0]["Arguments"] = {"model": "m-2"}
    definition["Parameters"] = [{"Name": "P", "Type": "String", "DefaultValue": HOSTILE}]
    definition["Steps"][1]["Name"] = "Later"
    sagemaker.update_pipeline(PipelineName=left.pipeline, PipelineDefinition=json.dumps(definition))
    right = second(admin, left.pipeline)
    got = admin.get(f"/compare.json?left={left.id}&right={right}").json["compared"]
    assert {each["name"]: each["defined_otherwise"] for each in got["steps"]}["Review"] is True
    assert [each["name"] for each in got["steps"]] == ["Review", "Later", "After"]
    page = admin.get(f"/compare?left={left.id}&right={right}").text
    assert "defined otherwise" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert HOSTILE not in page
    assert "not in it" in page


def test_the_pipelines_page_offers_the_two_newest(admin: Browser, wait: Wait) -> None:
    waiting = wait()
    assert 'action="/compare"' not in admin.get(f"/pipelines/{waiting.pipeline}").text
    newest = second(admin, waiting.pipeline)
    page = admin.get(f"/pipelines/{waiting.pipeline}").text
    form = page[page.index('action="/compare"') :]
    left, right = form.split('name="right"')[:2]
    assert f'<option value="{waiting.id}" selected>' in left
    assert f'<option value="{newest}" selected>' in right


def test_one_side_alone_asks_for_the_other(admin: Browser, wait: Wait) -> None:
    waiting = wait()
    page = admin.get(f"/compare?right={waiting.id}")
    assert (page.status, 'name="left"' in page.text) == (200, True)
    assert admin.get("/compare").status == 200


@pytest.mark.parametrize("query", ["left=abcdefabcdef&right=abcdefabcdef", "left=%3Cscript%3E&right=.."])
def test_an_execution_that_is_not_there(admin: Browser, query: str) -> None:
    got = admin.get(f"/compare?{query}")
    assert got.status in (400, 404)
    assert "<script>" not in got.text.partition("<main")[2]


def test_who_may_not_see_an_execution_may_not_compare_it(console: Console, wait: Wait) -> None:
    waiting, nobody = wait(), console.allowed("sts:GetCallerIdentity")
    assert nobody.get(f"/compare?left={waiting.id}&right={waiting.id}").status == 403
