"""A notice may be lost: each place that hears a channel has a test in which it hears nothing."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "passrole"

LOST = "tests/worker/test_lost_notices.py"

HEARD = {
    "identities/directory.py": {
        "records.CHANNEL": (
            "tests/identities/test_two_directories.py",
            "test_a_change_elsewhere_is_obeyed_where_its_notice_is_lost",
        ),
    },
    "services/sqs/receive_message.py": {
        "queue.channel": (
            "tests/services/sqs/test_receive_message.py",
            "test_a_waiting_receive_that_hears_of_no_message_finds_it_at_its_end",
        ),
    },
    "worker/emr_clusters.py": {
        "CHANNEL": (LOST, "test_a_cluster_is_found_and_what_is_over_is_not_read_again")
    },
    "worker/event_matcher.py": {"CHANNEL": (LOST, "test_a_rule_that_changes_is_obeyed")},
    "worker/job_monitor.py": {
        "JOBS": (LOST, "test_jobs_are_followed_and_their_ends_found"),
        "channel": (LOST, "test_jobs_are_followed_and_their_ends_found"),
    },
    "worker/jobs/runner.py": {
        "lookup.STOPS": (
            "tests/worker/jobs/test_run.py",
            "test_a_stop_that_no_notice_tells_of_is_found_in_the_rows",
        ),
    },
    "worker/loop.py": {
        "history.WITHDRAWALS": (LOST, "test_a_stop_withdraws_what_waits_in_memory"),
        "queue.channel": (LOST, "test_commands_are_performed"),
    },
    "worker/queue_pollers.py": {"CHANNEL": (LOST, "test_a_mapping_is_worked_changed_and_given_up")},
    "worker/task_queue.py": {"tasks.channel(self.kind)": (LOST, "test_tasks_are_taken")},
}
"""Module, channel, and the test."""

ELSEWHERE = {
    ("worker/emr_serverless/controller.py", "CHANNEL"): "looks by DueKeys, as emr_clusters does",
    ("worker/hosting/controller.py", "states.CHANNEL"): "looks by DueKeys, as emr_clusters does",
    ("worker/traces.py", "CHANGES"): "looks at each start, and test_traces.py kills a server",
    ("console/changes.py", "CHANGES"): "the page is told to look again every LOOK_SECONDS",
    ("console/metrics.py", "STEP_ENDS"): "a measurement, which is this process's own",
    ("console/metrics.py", "EXECUTION_ENDS"): "a measurement, which is this process's own",
    ("console/metrics.py", "traces.SPANS"): "a measurement, which is this process's own",
}
"""Those without such a test, and why nothing is lost for ever."""


def test_each_place_that_hears_a_channel_is_listed() -> None:
    """`share.CHANNEL` tells this process of its own shards, and the rows are looked at every 30 s."""
    hearing = {
        (str(path.relative_to(SOURCE)), ast.unparse(node.args[0]))
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "listen" and len(node.args) == 2
    }
    tested = {(module, channel) for module, channels in HEARD.items() for channel in channels}
    ours = {(module, channel) for module, channel in hearing if channel == "share.CHANNEL"}
    assert hearing - ours == tested | set(ELSEWHERE)


def test_each_of_their_tests_is_there() -> None:
    for channels in HEARD.values():
        for file, name in channels.values():
            assert f"def {name}(" in (ROOT / file).read_text(), name
