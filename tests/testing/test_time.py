"""Time that tests move: what would take hours is due at once, in its order, and nothing sleeps."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.testing.pipelines import callback, lambda_, pipeline
from tests.testing.test_stubs import train

from passrole.testing import Server

LOOPS = """
import time
def handler(event, context):
    while True:
        time.sleep(0.01)
"""
RETURNS = "def handler(event, context): return {'score': 0.9}"


def test_time_goes_on_from_where_it_was_moved_to_and_a_reset_ends_that(passrole: Server) -> None:
    before = passrole.time.now()
    assert abs(before.timestamp() - time.time()) < 5
    moved = passrole.time.advance(days=30)
    assert timedelta(days=30) <= moved - before < timedelta(days=30, minutes=1)
    assert passrole.time.advance_to(moved + timedelta(hours=1)) >= moved + timedelta(hours=1)
    passrole.reset()
    assert abs(passrole.time.now().timestamp() - time.time()) < 5


def test_time_does_not_go_back(passrole: Server) -> None:
    with pytest.raises(ValueError, match="time goes forward only"):
        passrole.time.advance(hours=-1)


def test_a_schedule_runs_as_often_as_it_is_due(passrole: Server) -> None:
    queue_url, events = passrole.queue(), passrole.client("events")
    arn = f"arn:aws:sqs:us-east-1:{passrole.access.account}:{queue_url.rpartition('/')[2]}"
    _open_to_events(passrole, queue_url, arn)
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": arn}])
    passrole.time.advance(minutes=59)
    assert passrole.messages(queue_url) == []
    passrole.time.advance(hours=3)
    times = [message["time"] for message in passrole.messages(queue_url)]
    assert len(times) == 3 and len(set(times)) == 3


def test_a_schedule_of_scheduler_runs_by_its_zones_clock(passrole: Server) -> None:
    """Every hour as it is due; at 2:30 in Berlin, but for the day on which there is no such time."""
    queue_url, scheduler = passrole.queue(), passrole.client("scheduler")
    arn = f"arn:aws:sqs:us-east-1:{passrole.access.account}:{queue_url.rpartition('/')[2]}"
    target = {"Arn": arn, "RoleArn": _scheduling_role(passrole), "Input": "<aws.scheduler.scheduled-time>"}
    passrole.time.advance_to(datetime(2035, 3, 24, tzinfo=UTC))
    scheduler.create_schedule(
        Name="nightly",
        ScheduleExpression="cron(30 2 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    passrole.time.advance(days=3)
    received = passrole.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    times = [message["Body"] for message in received["Messages"]]
    assert times == ["2035-03-24T01:30:00Z", "2035-03-26T00:30:00Z"]


def _scheduling_role(passrole: Server) -> str:
    iam, service = passrole.client("iam"), {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    made: str = iam.create_role(
        RoleName="schedules",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
    iam.put_role_policy(RoleName="schedules", PolicyName="send", PolicyDocument=policy)
    return made


def _open_to_events(passrole: Server, queue_url: str, arn: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    passrole.client("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})


def test_credentials_expire_and_clients_that_sign_by_the_real_clock_go_on(passrole: Server) -> None:
    sts = passrole.client("sts", role=passrole.role())
    passrole.time.advance(minutes=50)
    sts.get_caller_identity()
    passrole.time.advance(minutes=11)
    with pytest.raises(ClientError, match="ExpiredToken"):
        sts.get_caller_identity()
    passrole.client("sts").get_caller_identity()


def test_what_queues_hide_for_a_while_appears(passrole: Server) -> None:
    sqs, queue_url = passrole.client("sqs"), passrole.queue(VisibilityTimeout="3600", DelaySeconds="900")
    sqs.send_message(QueueUrl=queue_url, MessageBody="1")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)
    passrole.time.advance(minutes=16)
    assert len(sqs.receive_message(QueueUrl=queue_url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)
    passrole.time.advance(hours=1, seconds=1)
    assert len(sqs.receive_message(QueueUrl=queue_url)["Messages"]) == 1
    passrole.time.advance(days=4)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)


def test_a_function_outlives_its_timeout(passrole: Server) -> None:
    function = passrole.function(LOOPS, Timeout=300)
    execution = passrole.start(pipeline(lambda_("Call", function)))
    execution.step("Call").waits()
    passrole.time.advance(seconds=290)
    assert execution.status == "Executing"
    passrole.time.advance(seconds=20)
    execution.failed("Task timed out after 300.00 seconds")


def test_a_function_that_runs_in_time_is_not_hurried(passrole: Server) -> None:
    """It gets real time to come to its end before a jump."""
    function = passrole.function(RETURNS, Timeout=3)
    execution = passrole.start(pipeline(lambda_("Call", function, "score")))
    passrole.time.advance(hours=1)
    execution.succeeded()


def test_a_function_sees_how_much_time_it_has_after_a_jump(passrole: Server) -> None:
    source = "def handler(event, context): return {'score': context.get_remaining_time_in_millis()}"
    function = passrole.function(source, Timeout=60)
    passrole.time.advance(days=1)
    execution = passrole.run(pipeline(lambda_("Call", function, "score"))).succeeded()
    assert 50_000 < float(execution.step("Call").outputs["score"]) <= 60_000


def test_retries_of_a_job_wait_for_time_alone(passrole: Server) -> None:
    retries = [{"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 3600, "MaxAttempts": 2}]
    fault = passrole.fail("sagemaker:CreateTrainingJob", "CapacityError")
    execution = passrole.start(pipeline(train(RetryPolicies=retries), Eta="1"), role=_may_train(passrole))
    execution.step("Train").waits()
    passrole.time.advance(minutes=50)
    assert fault.met == 1
    passrole.time.advance(minutes=20)
    assert (fault.met, execution.status) == (2, "Executing")
    passrole.time.advance(hours=2)
    execution.failed("CapacityError: Unable to provision requested ML compute capacity")
    assert (fault.met, execution.step("Train").attempts) == (3, 3)


def _may_train(passrole: Server) -> str:
    passrole.role(name="r")
    actions = [
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    ]
    return passrole.role(allow=actions)


def test_a_callback_waits_for_days(passrole: Server) -> None:
    execution = passrole.start(pipeline(callback("Ask", passrole.queue(), "score")))
    execution.step("Ask").waits()
    passrole.time.advance(days=6)
    execution.step("Ask").approve(score=1)
    execution.succeeded()
    listed = execution.listed()[0]
    assert listed["EndTime"] - listed["StartTime"] > 6 * 86_400


def test_a_day_takes_no_time(passrole: Server) -> None:
    """Loops look every 30 seconds at least; nothing is under way, so that none of these is stopped at."""
    began = time.process_time()
    passrole.time.advance(days=365)
    assert time.process_time() - began < 1
