"""How waiting callbacks are shown."""

import pytest

from passrole.cli.pipelines.callbacks import age, as_json, columns
from passrole.client.callbacks import WaitingCallback

ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/Orders/execution/abc123def456"
WAITING = WaitingCallback("tokentoken", ARN, "Review", 1000.0, "http://q", {"cars": 50, "by": "ada\tl"})


@pytest.mark.parametrize(
    "seconds, shown",
    [
        (-3, "0s"),
        (0.9, "0s"),
        (59, "59s"),
        (60, "1m0s"),
        (312, "5m12s"),
        (3600, "1h0m"),
        (90061, "1d1h"),
    ],
)
def test_an_age_has_its_two_largest_units(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_a_line_has_four_columns_and_no_tab() -> None:
    assert columns(WAITING, 1065.0) == (
        "tokentoken",
        "1m5s",
        "Orders/abc123def456/Review",
        '{"cars": 50, "by": "ada\\tl"}',
    )


def test_the_json_of_a_callback_has_its_time_in_utc() -> None:
    assert as_json(WAITING, 1065.0) == {
        "token": "tokentoken",
        "step": "Review",
        "execution": ARN,
        "issued": "1970-01-01T00:16:40.000+00:00",
        "age_seconds": 65.0,
        "queue_url": "http://q",
        "arguments": {"cars": 50, "by": "ada\tl"},
    }
