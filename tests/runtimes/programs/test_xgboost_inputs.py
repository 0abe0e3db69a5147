"""Hyperparameters, channels and the first look at the data, checked as AWS's XGBoost image does; no wheel."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.training_folder import CASES

from passrole.runtimes.programs.xgboost_algorithm import channels
from passrole.runtimes.programs.xgboost_algorithm.errors import UserError
from passrole.runtimes.programs.xgboost_algorithm.hyperparameters import checked
from passrole.runtimes.programs.xgboost_algorithm.program import version

HYPERPARAMETERS = json.loads((CASES / "xgboost_hyperparameters.json").read_text())


@pytest.mark.parametrize("case", HYPERPARAMETERS, ids=lambda case: json.dumps(case["given"]))
def test_hyperparameters_are_checked_as_aws_does(case: dict[str, Any]) -> None:
    tag = version(case.get("tag", "1.7-1"))
    if "says" in case:
        with pytest.raises(UserError) as refused:
            checked(case["given"], tag)
        assert str(refused.value) == case["says"]
    else:
        assert checked(case["given"], tag) == case["values"]


@pytest.mark.parametrize(
    "given", [{"num_round": "9" * 100_000}, {"num_round": "5", "monotone_constraints": "[" * 100_000}]
)
def test_hostile_hyperparameters_are_a_user_error(given: dict[str, str]) -> None:
    with pytest.raises(UserError, match="could not parse value"):
        checked(given, (1, 7))


@pytest.mark.parametrize(
    "tag, numbers",
    [
        ("1.7-1", (1, 7)),
        ("1.0-1-cpu-py3", (1, 0)),
        ("0.90-2-cpu-py3", (0, 90)),
        ("3.0-5", (3, 0)),
        ("latest", (0, 72)),
        ("1", (0, 72)),
        ("", (0, 72)),
    ],
)
def test_a_tag_has_a_version(tag: str, numbers: tuple[int, ...]) -> None:
    assert version(tag) == numbers


@pytest.mark.parametrize(
    "content_type, form",
    [
        (None, "libsvm"),
        ("csv", "csv"),
        ("text/csv", "csv"),
        ("Text/CSV; label_size=1", "csv"),
        ("text/csv;charset=utf8", "csv"),
        ("libsvm", "libsvm"),
        ("text/libsvm ;charset=utf8", "libsvm"),
        ("text/x-libsvm", "libsvm"),
        ("parquet", "parquet"),
        ("application/x-parquet", "parquet"),
    ],
)
def test_a_content_type_has_a_format(content_type: str | None, form: str) -> None:
    assert channels.content_format(content_type) == form


@pytest.mark.parametrize(
    "content_type, says",
    [
        ("application/json", "application/json is not an accepted ContentType: csv, text/csv, libsvm,"),
        ("text/csv;label_size=2", "Optional parameter label_size must be equal to 1"),
        ("application/x-recordio-protobuf", "application/x-recordio-protobuf cannot be read here."),
        ("recordio-protobuf", "recordio-protobuf cannot be read here."),
    ],
)
def test_other_content_types_are_refused_by_name(content_type: str, says: str) -> None:
    with pytest.raises(UserError) as refused:
        channels.content_format(content_type)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "given, says",
    [
        ({}, "Missing required channel: train"),
        ({"validation": {}}, "Missing required channel: train"),
        ({"train": {}, "test": {}}, "Extraneous channel found: test"),
        (
            {"train": {"TrainingInputMode": "Pipe"}},
            "Channel configuration for 'train' channel is not supported: {'TrainingInputMode': 'Pipe'}",
        ),
    ],
)
def test_channels_that_the_algorithm_does_not_know_are_refused(given: Any, says: str) -> None:
    with pytest.raises(UserError) as refused:
        channels.checked_channels(given)
    assert str(refused.value) == says


@pytest.mark.parametrize(
    "line, found", [("1,2.5,3", ","), ("1;2;3", ";"), ("1\t2\t3", "\t"), ("1|2|3", "|"), ("1 2 3", " ")]
)
def test_the_delimiter_is_found(line: str, found: str) -> None:
    assert channels.delimiter(line + "\n") == found


@pytest.mark.parametrize("line", ["", "1\n", "15\n", "0.5\n", "-1\n", "abc\n"])
def test_a_line_without_a_delimiter_is_a_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Could not determine delimiter on line"):
        channels.delimiter(line)


@pytest.mark.parametrize("line", ["1 1:2 3:4", "0.5:2 1:1", "-1", "1 qid:3 1:2", "2 1:1 "])
def test_libsvm_is_known_by_its_first_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a").write_text(line + "\n")
    channels.check_format([tmp_path / "a"], "libsvm")


@pytest.mark.parametrize("line", ["1,2,3", "a 1:2", "1 2 3", "1:2:3 1:1", "label"])
def test_what_is_no_libsvm_is_told_by_its_first_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a").write_text(line + "\n")
    with pytest.raises(UserError) as refused:
        channels.check_format([tmp_path / "a"], "libsvm")
    assert str(refused.value) == (
        f"First line '{line}\n...' of file 'a' is not 'LIBSVM' format. "
        "Please ensure the file is in 'LIBSVM' format."
    )


def test_files_count_three_folders_deep(tmp_path: Path) -> None:
    for name in ("a", "1/a", "1/2/a", "1/2/3/a", "empty"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name == "empty" else "x")
    assert [str(path.relative_to(tmp_path)) for path in channels.data_files(tmp_path)] == [
        "1/2/a",
        "1/a",
        "a",
    ]


def test_a_hidden_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_text("x")
    with pytest.raises(UserError, match=r"Hidden file found in the data path! Remove that before training\."):
        channels.size(tmp_path)
