"""Functions in JavaScript, run by the Node.js of the machine: shape, refusals, effect."""

import base64
import json
import shutil
from typing import Any

import pytest
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop

HERE = shutil.which("node", path="/usr/bin:/bin")  # where the tests' server looks

pytestmark = pytest.mark.skipif(
    HERE is None, reason="Node.js is not installed: there is no `node` in /usr/bin or /bin"
)


def made(workshop: Workshop, source: str, file: str = "index.js", **parameters: Any) -> str:
    name: str = workshop.create(
        **{
            "Code": {"ZipFile": workshop.zip_files({file: source})},
            "Handler": "index.handler",
            "Runtime": "nodejs20.x",
            **parameters,
        }
    )
    return name


def invoked(workshop: Workshop, name: str, event: Any = None, **asked: Any) -> dict[str, Any]:
    answer = workshop.client.invoke(FunctionName=name, Payload=json.dumps(event), **asked)
    return {**answer, "Payload": json.loads(answer["Payload"].read())}


# shape


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("index.js", "exports.handler = async (event) => ({ got: event });"),
        ("index.mjs", "export const handler = async (event) => ({ got: event });"),
        ("index.cjs", "module.exports = { handler: async (event) => ({ got: event }) };"),
        ("index.js", "exports.handler = (event, context, callback) => callback(null, { got: event });"),
        ("index.js", "exports.handler = (e, c, done) => setTimeout(() => done(null, { got: e }), 5);"),
    ],
    ids=["CommonJS", "module", "cjs", "callback", "callback-later"],
)
def test_a_handler_of_every_form_answers(workshop: Workshop, file: str, source: str) -> None:
    name = made(workshop, source, file)
    for number in range(2):
        answer = invoked(workshop, name, {"n": number})
        assert ("FunctionError" in answer, answer["Payload"]) == (False, {"got": {"n": number}})


def test_a_handler_may_lie_in_a_folder_and_in_an_object(workshop: Workshop) -> None:
    source = "exports.api = { say: async () => 'said' };"
    name = made(workshop, source, "src/main.js", Handler="src/main.api.say")
    assert invoked(workshop, name)["Payload"] == "said"


def test_no_answer_is_null(workshop: Workshop) -> None:
    assert invoked(workshop, made(workshop, "exports.handler = async () => {};"))["Payload"] is None
    assert invoked(workshop, made(workshop, "exports.handler = () => {};"))["Payload"] is None


def test_the_context_and_the_environment_are_lambdas(workshop: Workshop) -> None:
    source = """
        exports.handler = async (event, context) => ({
            ...context, left: context.getRemainingTimeInMillis(), own: process.env.OWN,
            handler: process.env._HANDLER, home: process.env.AWS_EXECUTION_ENV, path: process.cwd(),
        });
    """
    name = made(workshop, source, Environment={"Variables": {"OWN": "mine"}}, Timeout=7, MemorySize=256)
    answer = invoked(workshop, name)
    context = answer["Payload"]
    assert context["functionName"] == name
    assert context["invokedFunctionArn"] == workshop.arn(name)
    assert context["awsRequestId"] == answer["ResponseMetadata"]["RequestId"]
    assert (context["memoryLimitInMB"], context["functionVersion"]) == ("256", "$LATEST")
    assert context["logGroupName"] == f"/aws/lambda/{name}"
    assert 0 < context["left"] <= 7_000
    assert (context["own"], context["handler"]) == ("mine", "index.handler")
    assert context["home"] == "AWS_Lambda_nodejs20.x"


def test_what_it_writes_is_in_the_log_as_awss_runtime_writes_it(workshop: Workshop) -> None:
    source = "exports.handler = async () => { console.log('seen %d', 7, { a: 1 }); console.error('bad'); };"
    answer = invoked(workshop, made(workshop, source), LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request = answer["ResponseMetadata"]["RequestId"]
    written = [line.split("\t")[1:] for line in lines if "\t" in line and not line.startswith("REPORT")]
    assert written == [[request, "INFO", "seen 7 { a: 1 }"], [request, "ERROR", "bad"]]


# refusals


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("exports.other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("exports.handler = 1;", "Runtime.HandlerNotFound", "index.handler is not a function"),
        ("exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("require('./gone');", "Runtime.ImportModuleError", "Error: Cannot find module './gone'"),
        ("throw new TypeError('at once');", "TypeError", "at once"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_why(
    workshop: Workshop, source: str, kind: str, message: str
) -> None:
    answer = invoked(workshop, made(workshop, source))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == kind
    assert answer["Payload"]["errorMessage"].startswith(message)


@pytest.mark.parametrize(
    "source",
    [
        "exports.handler = async () => { throw new RangeError('too far'); };",
        "exports.handler = () => { throw new RangeError('too far'); };",
        "exports.handler = (e, c, done) => done(new RangeError('too far'));",
        "exports.handler = (e, c, done) => setTimeout(() => { throw new RangeError('too far'); }, 1);",
    ],
    ids=["rejects", "throws", "calls-back", "throws-later"],
)
def test_a_failure_is_told_in_the_words_of_the_function(workshop: Workshop, source: str) -> None:
    answer = invoked(workshop, made(workshop, source))
    failure = answer["Payload"]
    assert answer["FunctionError"] == "Unhandled"
    assert (failure["errorType"], failure["errorMessage"]) == ("RangeError", "too far")
    assert failure["trace"][0] == "RangeError: too far"


def test_a_promise_that_nobody_awaits_fails_the_invocation(workshop: Workshop) -> None:
    source = """
        exports.handler = async () => {
            Promise.reject(new Error('forgotten'));
            await new Promise((resolve) => setTimeout(resolve, 2000));
        };
    """
    failure = invoked(workshop, made(workshop, source, Timeout=10))["Payload"]
    assert failure["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert failure["errorMessage"] == "Error: forgotten"


def test_a_function_that_takes_too_long_is_ended(workshop: Workshop) -> None:
    source = "exports.handler = () => new Promise((resolve) => setTimeout(resolve, 60000));"
    answer = invoked(workshop, made(workshop, source, Timeout=1))
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
    assert answer["Payload"]["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_a_process_that_exits_is_told_as_such(workshop: Workshop) -> None:
    failure = invoked(workshop, made(workshop, "exports.handler = () => process.exit(3);"))["Payload"]
    assert failure["errorType"] == "Runtime.ExitError"
    assert failure["errorMessage"].endswith("Runtime exited with error: exit status 3")


def test_other_languages_are_refused(workshop: Workshop) -> None:
    status, code, sentence = refusal_with_status(lambda: made(workshop, "", Runtime="ruby3.3"))
    assert (status, code) == (400, "InvalidParameterValueException")
    reason = "it runs python3.x and, with Node.js, nodejs*"
    assert sentence == f"passrole does not support the runtime ruby3.3: {reason}"


# effect


def test_a_warm_function_keeps_what_it_had(workshop: Workshop) -> None:
    name = made(workshop, "let count = 0; exports.handler = async () => ++count;")
    assert [invoked(workshop, name)["Payload"] for _ in range(3)] == [1, 2, 3]


def test_it_has_its_own_roles_credentials(workshop: Workshop) -> None:
    source = "exports.handler = async () => [process.env.AWS_ACCESS_KEY_ID.slice(0, 4), process.env.HOME];"
    prefix, home = invoked(workshop, made(workshop, source))["Payload"]
    assert prefix == "ASIA"
    assert home == "/tmp" or home.startswith(str(workshop.server.data / "scratch"))


def test_a_pipelines_step_runs_it(workshop: Workshop) -> None:
    source = "exports.handler = async (event) => ({ doubled: 2 * event.n });"
    name = made(workshop, source, FunctionName="sagemaker-node")
    step = {
        "Name": "Double",
        "Type": "Lambda",
        "FunctionArn": workshop.arn(name),
        "Arguments": {"n": 21},
        "OutputParameters": [{"OutputName": "doubled", "OutputType": "Integer"}],
    }
    sagemaker = workshop.server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="node",
        RoleArn=workshop.server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName="node")["PipelineExecutionArn"]
    assert workshop.server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    outputs = workshop.server.steps(execution)["Double"]["Metadata"]["Lambda"]["OutputParameters"]
    assert outputs == [{"Name": "doubled", "Value": "42"}]
