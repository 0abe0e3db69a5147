"""A server with a console, and browsers without a window: they keep cookies and say where they come from."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.conftest import Document, Server, new_name
from tests.eventually import eventually

pytest.importorskip("starlette")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """Cookies, redirects, and `Sec-Fetch-Site` as browsers of today send it."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies: dict[str, str] = {}
        self._pool = urllib3.PoolManager(retries=False)

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, {"Sec-Fetch-Site": "none", **headers})

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return self._ask("POST", path, urlencode(fields or {}), {**form, **headers})

    def upload(self, path: str, files: Mapping[str, bytes]) -> Answer:
        """A form with files, as browsers send it."""
        parts = [
            b'--bound\r\nContent-Disposition: form-data; name="%b"; filename="f.json"\r\n'
            b"Content-Type: application/json\r\n\r\n%b\r\n" % (name.encode(), content)
            for name, content in files.items()
        ]
        return self.post_raw(path, b"".join(parts) + b"--bound--\r\n", "multipart/form-data; boundary=bound")

    def post_raw(self, path: str, body: bytes, content_type: str) -> Answer:
        """A form's body as it is."""
        return self._ask("POST", path, body, {"Content-Type": content_type, "Sec-Fetch-Site": "same-origin"})

    def _ask(self, method: str, path: str, body: str | bytes | None, headers: Mapping[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {name: value for name, value in named.items() if value}
        if self.cookies:
            named["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        url = path if "://" in path else self.base + path
        got = self._pool.request(method, url, body=body, headers=named, redirect=False)
        for cookie in got.headers.getlist("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        if got.status == 303:
            return self.get(got.headers["location"])
        return Answer(got.status, got.headers, got.data.decode())


class Console(NamedTuple):
    """A server with pages."""

    server: Server
    url: str

    def link(self, role: str | None = None, keys: Mapping[str, str] | None = None) -> str:
        """A link that signs in as the owner of the keys, by default the administrator, or as a role."""
        answer = self.ask("CreateConsoleSession", {} if role is None else {"RoleArn": role}, keys)
        return f"{self.url}/login?{urlencode({'token': answer['Token']})}"

    def ask(self, operation: str, body: Mapping[str, Any], keys: Mapping[str, str] | None = None) -> Any:
        """The answer of one of passrole's own operations."""
        url = f"{self.server.url}/_passrole/{operation}"
        request = AWSRequest("POST", url, data=json.dumps(body), headers={"Content-Type": "application/json"})
        used = keys or self.server.access
        credentials = Credentials(used["access_key_id"], used["secret_access_key"])
        SigV4Auth(credentials, "passrole", self.server.region).add_auth(request)
        sent = urllib3.PoolManager().request("POST", url, body=request.data, headers=dict(request.headers))
        return json.loads(sent.data)

    def browser(self, role: str | None = None, keys: Mapping[str, str] | None = None) -> Browser:
        """A browser that is signed in."""
        found = Browser(self.url)
        assert found.get(self.link(role, keys)).status == 200
        return found

    def allowed(self, *actions: str) -> Browser:
        """A browser of a fresh user who may do just that, everywhere."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        return self.browser(keys=self.server.user({"Version": "2012-10-17", "Statement": [statement]}))


SETTINGS = {"containers": "none", "console": "true", "console_port": "0"}


def console_of(server: Server) -> Console:
    """The console that the server has now: at another port after a restart."""
    return Console(server, json.loads((server.data / "server.json").read_text())["console"])


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console for all tests of a worker process."""
    running = Server(tmp_path_factory.mktemp("console") / "data", **SETTINGS)
    yield console_of(running)
    running.stop()


@pytest.fixture(scope="session")
def admin(console: Console) -> Browser:
    """The administrator's browser."""
    return console.browser()


class Waiting(NamedTuple):
    """An execution whose callback waits."""

    pipeline: str
    id: str
    arn: str


Wait = Callable[..., Waiting]

OUTPUTS = [{"OutputName": "Score", "OutputType": "Float"}, {"OutputName": "Note", "OutputType": "String"}]


@pytest.fixture(scope="session")
def wait(console: Console) -> Wait:
    """Start a pipeline with a Callback step `Review`, and wait until that one waits."""
    return waiting_on(console.server)


def waiting_on(server: Server) -> Wait:
    """The same on a server."""
    allowed: Document = {"Effect": "Allow", "Action": ["sqs:*", "lambda:*"], "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [allowed]}])
    queue = server.client("sqs").create_queue(QueueName=new_name("approvals"))["QueueUrl"]

    def started(
        arguments: Mapping[str, Any] | None = None, further: Sequence[Document] = (), **members: Any
    ) -> Waiting:
        sagemaker, name = server.client("sagemaker"), new_name("pipeline")
        review = {
            "Name": "Review",
            "Type": "Callback",
            "SqsQueueUrl": queue,
            "Arguments": {"model": "m-1"} if arguments is None else arguments,
            "OutputParameters": OUTPUTS,
        }
        after = {
            "Name": "After",
            "Type": "Fail",
            "DependsOn": ["Review"],
            "Arguments": {"ErrorMessage": "end"},
        }
        definition = {
            "Version": "2020-12-01",
            "Parameters": [],
            "Steps": [review, after, *further],
            **members,
        }
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=role)
        arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        eventually(lambda: "Callback" in server.steps(arn).get("Review", {}).get("Metadata", {}))
        return Waiting(name, arn.rpartition("/")[2], arn)

    return started


def cookie_of(browser: Browser) -> str:
    """The name of the cookie of the console that the browser looks at."""
    return f"passrole-{browser.base.rpartition(':')[2]}"


def hidden(text: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]
