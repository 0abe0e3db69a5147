"""ExpireAfter in every spelling that AWS's guide shows."""

import pytest

from passrole.definition.cache_age import InvalidAge, seconds

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", 30 * DAY),
        ("P30d", 30 * DAY),
        ("p30d", 30 * DAY),
        ("5y", 5 * 365 * DAY),
        ("2m", 60 * DAY),
        ("1w", 7 * DAY),
        ("T12H", 12 * 3600),
        ("PT1H", 3600),
        ("T16m", 16 * 60),
        ("30dT5h", 30 * DAY + 5 * 3600),
        ("P4DT12H", 4 * DAY + 12 * 3600),
        ("P1Y2M3W4DT5H6M", (365 + 60 + 21 + 4) * DAY + 5 * 3600 + 6 * 60),
        ("0d", 0),
    ],
)
def test_a_duration_is_read(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *[
            "P",
            "T",
            "PT",
            "30",
            "d",
            "30x",
            "1d1y",
            "1d1d",
            "1h",
            "T1d",
            "1dT",
            "-1d",
            "1.5d",
            "٣d",
            "1111111111d",
            "PP1d",
            "1dT1hT1m",
            "T1s",
        ],
        *("", " 1d", "1 d", "30d\n"),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidAge):
        seconds(text)
