"""What is listed is what the door is really asked while a pipeline runs: nothing more, nothing less."""

import json
from typing import Any

from passrole.needs import Place, needs_of_role, read_definition

ECHO = "def handler(event, context):\n    return event\n"


def test_the_needs_of_a_pipeline_are_what_its_role_is_asked_for(server: Any) -> None:
    function = server.function("needs-sagemaker-echo", ECHO)
    queue = server.client("sqs").create_queue(QueueName="needs-sagemaker-ask")["QueueUrl"]
    steps = [
        {"Name": "Run", "Type": "Lambda", "FunctionArn": function, "Arguments": {}, "OutputParameters": []},
        {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": queue,
            "Arguments": {},
            "OutputParameters": [],
            "DependsOn": ["Run"],
        },
    ]
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    needs = needs_of_role(read_definition(text, {}), Place(server.region, server.account))
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [every]}])
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="needs", RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName="needs")["PipelineExecutionArn"]
    message = server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=json.loads(message["Body"])["token"])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    session = f":assumed-role/{role.rpartition('/')[2]}/"
    audit = [json.loads(line) for line in (server.data / "audit.jsonl").read_text().splitlines()]
    asked = {
        (check["action"], check["resource"])
        for entry in audit
        if session in entry["principal"]
        for check in entry["checks"]
    }
    assert asked == {(need.action, need.resource) for need in needs if need.when != "stop"}
