"""Nothing that a caller writes breaks or forges a line of the log or of the audit trail."""

import json
import logging
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.gateway.test_way_in import called

from passrole.log_format import OneLine, escaped, escaped_json

HOSTILE = "x\n2026-01-31 12:00:00,000 INFO passrole: forged\r\x1b[2J\x85\u2028\u2029\x00\x7f"


NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}


def formatted(message: str, *arguments: Any, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    return OneLine().format(logging.LogRecord("passrole", 40, "f", 1, message, arguments, info))


def test_a_record_is_one_line_of_printable_text() -> None:
    line = formatted("bucket %s of %r", HOSTILE, HOSTILE)
    assert line.isprintable() and len(line.splitlines()) == 1
    assert r"x\n2026-01-31" in line and r"\x1b[2J\x85\u2028\u2029\x00\x7f" in line


def test_a_logger_s_name_is_no_way_in_either() -> None:
    record = logging.LogRecord("a\nb", 40, "f", 1, "m", (), None)
    assert OneLine().format(record).isprintable()


def test_a_traceback_is_indented_so_that_it_forges_no_record() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        lines = formatted("it failed", error=error).split("\n")
    assert lines[0].endswith("ERROR passrole: it failed")
    assert all(line.startswith("    ") and line.isprintable() for line in lines[1:])
    assert any("forged" in line for line in lines)


def test_ordinary_text_stays_as_it_is() -> None:
    assert escaped("a `b` é 日本 \\n") == "a `b` é 日本 \\n"
    assert escaped_json('{"a": "é日"}\n'.encode()) == '{"a": "é日"}\n'.encode()


def test_every_control_character_is_escaped_and_no_other() -> None:
    turns = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}
    for each in map(chr, range(sys.maxunicode + 1)):
        is_control = unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") or each in turns
        assert (escaped(f"a{each}b") == f"a{each}b") is not is_control, hex(ord(each))


@pytest.mark.parametrize("moments", [(0.0, 0.9996, 1.0), (1e9 + 0.25, 1e9 + 0.5, 1e9 + 1.0, 1e9 - 3600)])
def test_a_line_begins_with_the_time_as_logging_writes_it(moments: tuple[float, ...]) -> None:
    ours, logs = OneLine(), logging.Formatter()
    for moment in moments:
        record = logging.LogRecord("passrole", 40, "f", 1, "m", (), None)
        record.created, record.msecs = moment, moment % 1 * 1_000
        assert ours.formatTime(record) == logs.formatTime(record)


def test_a_json_line_reads_as_before() -> None:
    line = json.dumps({"a": HOSTILE}, ensure_ascii=False).encode() + b"\n"
    whole = escaped_json(line).decode()
    assert len(whole.splitlines()) == 1 and json.loads(whole) == {"a": HOSTILE}


NEXT_LINE = "q\x85u\u2028v\x7f\x1b]0;x"


@pytest.mark.parametrize("operation", ["GetQueueUrl", "CreateQueue"])
def test_an_audit_line_is_one_line_whatever_was_called(server: Server, operation: str) -> None:
    headers = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0"}
    keys = server.user(NOTHING)
    body = json.dumps({"QueueName": NEXT_LINE}).encode()
    answer = called(server, "sqs", headers, body, keys=keys)
    assert answer.status // 100 == 4
    server.client("iam").list_users()
    server.client("iam").list_users()
    text = (server.data / "audit.jsonl").read_text()
    assert text.splitlines() == text.split("\n")[:-1]
    assert all(line.isprintable() for line in text.split("\n"))


def test_an_object_s_key_breaks_no_line(server: Server) -> None:
    bucket = new_name("log-lines")
    server.client("s3").create_bucket(Bucket=bucket)
    keys = server.user(NOTHING)
    denied = called(
        server, "s3", {}, b"", path=f"/{bucket}/a%0A2026%C2%85%E2%80%A8b%1B", method="GET", keys=keys
    )
    assert denied.status == 403
    server.client("iam").list_users()
    server.client("iam").list_users()
    lines = [
        json.loads(line)
        for line in (server.data / "audit.jsonl").read_text().splitlines()
        if "s3:GetObject" in line and bucket in line
    ]
    assert [line["checks"][0]["resource"] for line in lines] == [
        f"arn:aws:s3:::{bucket}/a\n2026\x85\u2028b\x1b"
    ]


def test_the_arn_of_a_target_forges_no_line_of_the_log(server: Server) -> None:
    events, rule = server.client("events"), new_name("log-lines")
    forged = f"{rule}\n2026-01-31 12:00:00,000 INFO passrole: forged"
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{forged}"
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    events.put_events(Entries=[{"Source": rule, "DetailType": "t", "Detail": "{}"}])
    log = Path(server.log.name)
    eventually(lambda: f"{rule}\\n2026-01-31" in log.read_text(), seen=lambda: log.read_text()[-2000:])
    assert not any(line.startswith("2026-01-31 12:00:00,000") for line in log.read_text().splitlines())
