"""Models that XGBoost's algorithm mode trains, on the wheel of the interpreter PASSROLE_XGBOOST_PYTHON."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.runtimes.programs.training_folder import TrainingFolder
from tests.runtimes.programs.xgboost_job import CSV, PROGRAM, PYTHON, SMALL, VARIABLE, placed, rows, run

if PYTHON is None:
    pytest.skip(f"{VARIABLE} names no interpreter that has xgboost", allow_module_level=True)

ROUND = re.compile(r"\[(\d+)\]\ttrain-(\S+):(\d\S*)(?:\tvalidation-(\S+):(\d\S*))?$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "ml")


def ask(folder: TrainingFolder, question: str) -> str:
    """What the wheel says of the model."""
    opened = f"import pickle, xgboost as xgb\npath = {str(folder.base / 'model/xgboost-model')!r}\n"
    command = [str(PYTHON), "-c", opened + question]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


LOADED = "b = xgb.Booster(); b.load_model(path); print(b.num_boosted_rounds())"
UNPICKLED = "b = pickle.load(open(path, 'rb')); print(b.num_boosted_rounds())"


@pytest.mark.parametrize("tag", ["1.3-1", "1.5-1", "1.7-1", "3.0-5"])
def test_from_1_3_on_xgboost_saves_its_model(folder: TrainingFolder, tag: str) -> None:
    seen = run(placed(folder, train=rows(60, 1), validation=rows(20, 2)), tag)
    assert (seen.exit_code, seen.success) == (0, True), seen.output
    assert ask(folder, LOADED) == "5"
    assert [path.name for path in (folder.base / "model").iterdir()] == ["xgboost-model"]


@pytest.mark.parametrize("tag", ["latest", "1", "0.90-2", "1.0-1-cpu-py3", "1.2-1"])
def test_before_1_3_the_model_is_pickled(folder: TrainingFolder, tag: str) -> None:
    assert run(placed(folder, train=rows(60, 1)), tag).success
    assert ask(folder, UNPICKLED) == "5"


def test_a_round_is_a_line_with_tabs(folder: TrainingFolder) -> None:
    seen = run(placed(folder, train=rows(60, 1), validation=rows(20, 2)))
    told = ROUND.findall(seen.output)
    assert [(number, train, validation) for number, train, _, validation, _ in told] == [
        (str(number), "rmse", "rmse") for number in range(5)
    ]
    assert float(told[4][4]) < float(told[0][4])


def test_without_validation_a_line_tells_of_train_alone(folder: TrainingFolder) -> None:
    seen = run(placed(folder, train=rows(60, 1)))
    assert re.search(r"^\[0\]\ttrain-rmse:\d\S*$", seen.output, re.MULTILINE)


def test_metrics_that_xgboost_has_not_are_computed(folder: TrainingFolder) -> None:
    given = {**SMALL, "eval_metric": "rmse,mse,r2", "_tuning_objective_metric": "validation:mae"}
    seen = run(placed(folder, given, train=rows(60, 1), validation=rows(20, 2)))
    line = next(line for line in seen.output.splitlines() if line.startswith("[4]"))
    told = {name: float(value) for name, _, value in (part.partition(":") for part in line.split("\t")[1:])}
    assert set(told) == {
        f"{data}-{name}" for data in ("train", "validation") for name in ("rmse", "mae", "mse", "r2")
    }
    assert told["train-mse"] == pytest.approx(told["train-rmse"] ** 2, rel=1e-3)
    assert 0.5 < told["train-r2"] < 1


@pytest.mark.parametrize("objective, classes", [("binary:logistic", 2), ("multi:softprob", 3)])
def test_classes_are_counted(folder: TrainingFolder, objective: str, classes: int) -> None:
    metrics = "accuracy,balanced_accuracy,f1_macro,precision_macro,recall_macro"
    given = {"num_round": "8", "objective": objective, "eval_metric": metrics}
    if classes > 2:
        given["num_class"] = str(classes)
    lines = [f"{index % classes},{index % classes + index / 1000}" for index in range(90)]
    seen = run(placed(folder, given, train="\n".join(lines)))
    assert seen.success, seen.output
    last = next(line for line in seen.output.splitlines() if line.startswith("[7]"))
    assert all(f"train-{name}:1.00000" in last for name in metrics.split(",")), last


def test_early_stopping_keeps_the_best_model(folder: TrainingFolder) -> None:
    given = {"num_round": "200", "objective": "reg:linear", "eta": "1", "early_stopping_rounds": "3"}
    given["eval_metric"] = "rmse"
    seen = run(placed(folder, given, train=rows(30, 1), validation=rows(30, 9)))
    assert seen.success, seen.output
    scores = [float(validation) for *_, validation in ROUND.findall(seen.output)]
    assert len(scores) < 200
    assert int(ask(folder, LOADED)) == scores.index(min(scores)) + 1


def test_weights_stand_in_the_second_column(folder: TrainingFolder) -> None:
    given = {"num_round": "1", "eta": "1", "lambda": "0", "base_score": "0", "csv_weights": "1"}
    lines = ["10,3,0", "2,1,0"] * 5
    assert run(placed(folder, given, train="\n".join(lines))).success
    question = "import numpy; b = xgb.Booster(); b.load_model(path)"
    predicted = ask(folder, question + "\nprint(b.predict(xgb.DMatrix(numpy.zeros((1, 1))))[0])")
    assert float(predicted) == pytest.approx((10 * 3 + 2) / 4)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_by_its_own_delimiter(folder: TrainingFolder, separator: str) -> None:
    seen = run(placed(folder, train=rows(40, 1, separator)))
    assert seen.success, seen.output
    assert "Train matrix has 40 rows and 4 columns" in seen.output


def test_an_empty_cell_is_a_missing_value(folder: TrainingFolder) -> None:
    seen = run(placed(folder, train="1,2,\n2,,3\n3,4,5\n"))
    assert seen.success, seen.output
    assert "Train matrix has 3 rows and 2 columns" in seen.output


def test_a_channel_may_have_many_files(folder: TrainingFolder) -> None:
    placed(folder, train=rows(10, 1))
    (folder.base / "input/data/train/deep/er").mkdir(parents=True)
    (folder.base / "input/data/train/deep/er/part-1.csv").write_text(rows(7, 2))
    (folder.base / "input/data/train/_SUCCESS").touch()
    assert "Train matrix has 17 rows and 4 columns" in run(folder).output


def test_libsvm_is_what_is_read_where_nothing_is_said(folder: TrainingFolder) -> None:
    folder.configure(SMALL, channels={"train": {"TrainingInputMode": "File"}})
    (folder.base / "input/data/train/a").write_text("1:2 0:0.5 4:1\n\n0 1:2 # said\n2.5 3:1e2\n")
    seen = run(folder)
    assert seen.success, seen.output
    assert "Train matrix has 3 rows and 5 columns" in seen.output


def test_libsvm_ranks_by_query(folder: TrainingFolder) -> None:
    folder.configure({"num_round": "2", "objective": "rank:pairwise"}, channels={"train": {}})
    lines = [f"{index % 3} qid:{index // 3} 0:{index % 3} 1:{index}" for index in range(30)]
    (folder.base / "input/data/train/a").write_text("\n".join(lines))
    assert run(folder).success


def test_training_goes_on_from_the_last_checkpoint(folder: TrainingFolder) -> None:
    placed(folder, train=rows(40, 1))
    kept = folder.base / "checkpoints"
    (folder.base / "input/config/checkpointconfig.json").write_text(json.dumps({"LocalPath": str(kept)}))
    assert run(folder).success
    assert sorted(path.name for path in kept.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(5)]
    folder.configure({**SMALL, "num_round": "8"}, channels={"train": CSV})
    seen = run(folder)
    assert len(ROUND.findall(seen.output)) == 3
    assert "Resuming from iteration 5" in seen.output
    assert ask(folder, LOADED) == "8"
    assert sorted(path.name for path in kept.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(3, 8)]


@pytest.mark.parametrize("keeps", ["true", "false"])
def test_term_leaves_the_model_so_far_where_that_was_asked(folder: TrainingFolder, keeps: str) -> None:
    given = {**SMALL, "num_round": "100000", "save_model_on_termination": keeps}
    placed(folder, given, train=rows(2000, 1))
    log = folder.base / "log"
    with log.open("wb") as file:
        job = subprocess.Popen(
            [str(PYTHON), str(PROGRAM), "--tag", "1.7-1"], env=folder.environment(), stdout=file, stderr=file
        )
    until = time.monotonic() + 60
    while b"[3]\t" not in log.read_bytes():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    assert job.wait(60) == (0 if keeps == "true" else -signal.SIGTERM)
    assert (folder.base / "model/xgboost-model").exists() == (keeps == "true")
    if keeps == "true":
        assert int(ask(folder, LOADED)) >= 3
        assert [path.name for path in (folder.base / "model").iterdir()] == ["xgboost-model"]


@pytest.mark.parametrize(
    "hyperparameters, text, says",
    [
        (
            SMALL,
            "Sex,Length\nM,0.455\n",
            "UserError: Failed to load csv data with exception:\ncould not convert",
        ),
        (SMALL, "1,2\n1,2,3\n", "UserError: Failed to load csv data with exception:\n"),
        ({"num_round": "1", "objective": "binary:logistic"}, "5,1\n6,2\n", "UserError: "),
        ({"num_round": "1", "objective": "multi:softmax", "num_class": "2"}, "5,1\n6,2\n", "UserError: "),
        (
            {"num_round": "1", "tree_method": "gpu_hist"},
            "5,1\n6,2\n",
            "AlgorithmError: XGB train call failed with",
        ),
    ],
)
def test_what_xgboost_will_not_have_is_in_the_failure_file(
    folder: TrainingFolder, hyperparameters: dict[str, str], text: str, says: str
) -> None:
    seen = run(placed(folder, hyperparameters, train=text))
    assert (seen.exit_code, seen.success) == (1, False)
    assert seen.failure is not None
    assert says in seen.failure
    assert not (folder.base / "model/xgboost-model").exists()


def test_of_several_hosts_the_first_trains(folder: TrainingFolder) -> None:
    placed(folder, train=rows(20, 1))
    for host, trained in (("algo-2", False), ("algo-1", True)):
        resources = {"current_host": host, "hosts": ["algo-1", "algo-2"]}
        (folder.base / "input/config/resourceconfig.json").write_text(json.dumps(resources))
        assert run(folder).success
        assert (folder.base / "model/xgboost-model").exists() == trained
