"""The bundled example does what it says, on a new folder and on a used one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Passrole = Callable[..., "subprocess.Popen[str]"]
Quiet = Callable[[str], str]


def test_the_demo_runs_its_pipeline_and_is_refused_twice_in_a_row(
    passrole: Passrole, quiet: Quiet, example: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        demo = str(example / "demo.py")
        process = passrole("exec", "--data", str(tmp_path), "--", sys.executable, demo)
        told, errors = process.communicate(timeout=60)
        assert (process.returncode, quiet(errors)) == (0, "")
        assert "the execution Succeeded, as it should" in told
        assert "is not authorized to perform: sqs:sendmessage on resource: " in told
        assert "Why: " in told


def test_the_demo_on_spark_runs_and_is_refused(
    passrole: Passrole, quiet: Quiet, example: Path, tmp_path: Path, spark: None
) -> None:
    demo = str(example.parent / "distance_by_speed" / "demo.py")
    process = passrole("exec", "--data", str(tmp_path), "--", sys.executable, demo)
    told, errors = process.communicate(timeout=120)
    assert (process.returncode, quiet(errors)) == (0, "")
    assert '"slowest_to_stop": "24 mph' in told
    assert "is not authorized to perform: events:DescribeRule on resource: " in told


def test_the_demo_that_trains_runs_is_taken_over_and_refused(
    passrole: Passrole, quiet: Quiet, example: Path, tmp_path: Path, sandboxed: None
) -> None:
    demo = str(example.parent / "stopping_model" / "demo.py")
    process = passrole("exec", "--data", str(tmp_path), "--", sys.executable, demo)
    told, errors = process.communicate(timeout=120)
    assert (process.returncode, quiet(errors)) == (0, "")
    assert told.count("cached, from execution ") == 3
    assert "is not authorized to perform: iam:PassRole on resource: " in told
    assert "What allows it" in told


def test_the_demo_fails_where_something_is_not_as_expected(
    passrole: Passrole, quiet: Quiet, example: Path, tmp_path: Path
) -> None:
    lenient = tmp_path / "lenient.py"
    text = (example / "demo.py").read_text()
    lenient.write_text(
        text.replace(
            'BAD_QUEUE = "sagemaker-reviews", "reviews"', 'BAD_QUEUE = "sagemaker-reviews", "sagemaker-b"'
        )
        .replace("Path(__file__).parent", f"Path({str(example)!r})")
        .replace("WAIT_SECONDS_MAX = 30", "WAIT_SECONDS_MAX = 10")
    )
    process = passrole("exec", "--data", str(tmp_path / "data"), "--", sys.executable, str(lenient))
    _, errors = process.communicate(timeout=60)
    assert quiet(errors) == "demo: the execution is Executing and should be Failed\n"
    assert process.returncode == 1
