"""Lambda's own lines."""

import pytest

from passrole.runtimes.logs import Report

REPORTS = [
    (
        Report("r", 1.234, 128, 35),
        "REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 35 MB\t",
    ),
    (
        Report("r", 3000, 128, 35, init_duration=110.5, status="timeout"),
        "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 35 MB\tInit Duration: 110.50 ms\tStatus: timeout\t",
    ),
]


@pytest.mark.parametrize("report, line", REPORTS)
def test_a_report_has_awss_form(report: Report, line: str) -> None:
    assert report.line() == line
