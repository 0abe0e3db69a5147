"""What is done in one way is done in one place."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "passrole"


def test_only_service_sessions_asks_for_a_role() -> None:
    asking = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "AssumeRole"
    ]
    assert asking == ["services/service_sessions.py"]


MAY_MAKE_TASKS = {
    "worker/supervisor.py": "the one place of loops, and of what they spawn",
    "worker/jobs/batch.py": "requests for one object of a transform job: they end with the object",
    "worker/jobs/run.py": "a job's program beside the wait for its stop: both end with the run",
    "worker/emr_serverless/program.py": "a job run's program beside its log: it ends with the job run",
    "worker/hosting/instance.py": "a container's program beside its log: both end with the instance's loop",
    "worker/invocations.py": "an invocation beside the wait for its slot, ended by `close`",
    "services/service_sessions.py": "one AssumeRole that several callers wait for: it ends with the answer",
    "gateway/asgi.py": "whether the caller has hung up, or the server ends: it ends with the call",
    "services/sqs/receive_message.py": "whether the caller has hung up: it ends with the call",
    "runtimes/functions.py": "removal of a folder, ended by `close`",
    "runtimes/worker_process.py": "waits for the end of one process, and ends with it",
}


def test_only_the_supervisor_makes_asyncio_tasks_that_live_long() -> None:
    """An asyncio.TaskGroup (`group`) ends with its block, and with it its tasks."""
    making = {
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("create_task", "ensure_future")
        and ast.unparse(node.value) != "group"
    }
    assert making == set(MAY_MAKE_TASKS)


def test_only_the_definitions_of_metrics_run_expressions_of_users() -> None:
    importing = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and any(each.name == "re2" for each in node.names)
    ]
    assert importing == ["services/sagemaker/jobs/metric_definitions.py"]


def test_only_one_module_of_services_reads_the_tags_of_a_call() -> None:
    naming = [
        str(path.relative_to(SOURCE))
        for path in sorted((SOURCE / "services").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "aws:TagKeys"
    ]
    assert naming == ["services/tags.py"]


def test_every_paged_list_of_a_service_uses_the_one_cursor() -> None:
    declaring = {
        str(path.parent.relative_to(SOURCE / "services"))
        for path in sorted((SOURCE / "services").glob("*/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Pages"
    }
    assert declaring == {
        "emr",
        "emr_serverless",
        "events",
        "iam",
        "kms",
        "lambda_",
        "logs",
        "s3",
        "sagemaker",
        "scheduler",
        "sqs",
    }
