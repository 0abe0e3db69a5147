"""The pages of pipelines, executions and steps, and what their buttons do."""

import pytest
from tests.console.conftest import Browser, Console, Wait, hidden

HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m \u202eback"


def test_an_execution_lists_every_step_also_those_that_have_not_begun(admin: Browser, wait: Wait) -> None:
    waiting = wait()
    facts = admin.get(f"/executions/{waiting.id}.json").json
    assert [(each["name"], each["status"]) for each in facts["steps"]] == [
        ("Review", "Waiting"),
        ("After", "Not started"),
    ]
    assert [each["name"] for each in facts["picture"]["nodes"]] == ["Review", "After"]
    page = admin.get(f"/executions/{waiting.id}").text
    assert f'href="/executions/{waiting.id}/steps/Review"' in page
    assert "Not started" in page


def test_no_page_and_no_json_has_the_token(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait()
    token = console.server.steps(waiting.arn)["Review"]["Metadata"]["Callback"]["CallbackToken"]
    at = f"/executions/{waiting.id}"
    for path in ("/", "/approvals", at, f"{at}/steps/Review"):
        for each in (path, f"{path}.json"):
            got = admin.get(each)
            assert got.status == 200
            assert token not in got.text, each


def test_text_of_others_stays_text(admin: Browser, wait: Wait) -> None:
    waiting = wait({"note": HOSTILE})
    for path in ("/approvals", f"/executions/{waiting.id}/steps/Review"):
        text = admin.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; red \ufffdback" in text
        assert "\x1b" not in text


def test_a_pipeline_is_started_by_its_form_once(console: Console, admin: Browser, wait: Wait) -> None:
    parameters = [
        {"Name": "N", "Type": "Integer", "DefaultValue": 3},
        {"Name": "Mode", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
    waiting = wait(Parameters=parameters)
    page = admin.get(f"/pipelines/{waiting.pipeline}")
    assert "<option selected>a</option><option>b</option>" in page.text
    fields = {"token": hidden(page.text, "token"), "parameter.N": "7", "parameter.Mode": "b"}
    for _ in range(2):
        started = admin.post(f"/pipelines/{waiting.pipeline}/start", fields)
        assert started.status == 200
    listed = admin.get(f"/pipelines/{waiting.pipeline}.json").json["executions"]
    assert len(listed) == 2
    newest = listed[0]["PipelineExecutionArn"].rpartition("/")[2]
    given = admin.get(f"/executions/{newest}.json").json["parameters"]
    assert {each["Name"]: each["Value"] for each in given} == {"N": "7", "Mode": "b"}
    again = admin.get(f"/pipelines/{waiting.pipeline}").text
    assert 'name="parameter.N" value="7"' in again  # the last values


def test_a_value_of_the_wrong_type_is_refused_in_awss_words(admin: Browser, wait: Wait) -> None:
    waiting = wait(Parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": 3}])
    page = admin.get(f"/pipelines/{waiting.pipeline}")
    fields = {"token": hidden(page.text, "token"), "parameter.N": "many"}
    got = admin.post(f"/pipelines/{waiting.pipeline}/start", fields)
    assert (got.status, "ValidationException" in got.text) == (400, True)


def test_stop_and_retry(console: Console, admin: Browser, wait: Wait) -> None:
    waiting = wait()
    at = f"/executions/{waiting.id}"
    page = admin.get(at)
    assert f'action="{at}/stop"' in page.text
    assert f'action="{at}/retry"' not in page.text
    assert admin.post(f"{at}/stop", {"token": hidden(page.text, "token")}).status == 200
    assert admin.get(f"{at}.json").json["execution"]["PipelineExecutionStatus"] == "Stopping"


@pytest.mark.parametrize("path", ["/executions/abcdefabcdef", "/pipelines/none", "/executions/..%2f..%2fx"])
def test_what_is_not_there(admin: Browser, path: str) -> None:
    assert admin.get(path).status in (400, 404)


def test_who_may_see_nothing_learns_nothing(console: Console, wait: Wait) -> None:
    waiting, nobody = wait(), console.allowed("sts:GetCallerIdentity")
    there, not_there = (nobody.get(f"/executions/{id_}") for id_ in (waiting.id, "abcdefabcdef"))
    assert (there.status, not_there.status) == (403, 403)
    empty = {"waiting": [], "waiting_count": 0, "running": [], "failed": [], "ended": []}
    empty |= {"counts": {"running": 0, "failed": 0, "ended": 0}, "are_all": True}
    assert nobody.get("/.json").json == empty
    assert nobody.get("/pipelines").status == 403


def test_a_pipeline_is_shown_to_who_may_not_list_its_executions(console: Console, wait: Wait) -> None:
    waiting, reader = wait(), console.allowed("sagemaker:DescribePipeline")
    page = reader.get(f"/pipelines/{waiting.pipeline}")
    assert page.status == 200
    assert "is not authorized to perform: sagemaker:ListPipelineExecutions" in page.text
    assert waiting.id not in page.text


def test_a_button_that_would_be_denied_says_so_and_is(console: Console, wait: Wait) -> None:
    waiting, reader = wait(), console.allowed("sagemaker:Describe*", "sagemaker:List*")
    page = reader.get(f"/executions/{waiting.id}")
    assert "disabled" in page.text
    assert "is not authorized to perform: sagemaker:StopPipelineExecution" in page.text
    denied = reader.post(f"/executions/{waiting.id}/stop", {"token": hidden(page.text, "token")})
    assert (denied.status, "is not authorized to perform" in denied.text) == (403, True)


def test_a_denial_is_explained(console: Console, admin: Browser) -> None:
    nobody = console.allowed("sts:GetCallerIdentity")
    nobody.get("/pipelines")
    found = admin.get("/denials.json").json["denials"][0]
    assert (found["action"], found["layer"]) == ("sagemaker:ListPipelines", "identity")
    assert found["remedies"][0]["statement"]["Action"] == "sagemaker:ListPipelines"
    assert nobody.get("/denials").status == 403


def test_to_leave_something_out_is_no_denial(console: Console, admin: Browser, wait: Wait) -> None:
    wait()
    nobody = console.allowed("sts:GetCallerIdentity")
    before = admin.get("/denials.json").json["denials"]
    assert nobody.get("/.json").json["running"] == []
    assert admin.get("/denials.json").json["denials"] == before
