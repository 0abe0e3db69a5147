"""One run of xgboost: its rounds, what is saved in between, and the model."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import warnings
from pathlib import Path
from typing import Any, Callable, NoReturn

from .errors import AlgorithmError, UserError
from .hyperparameters import MAXIMIZED
from .metrics import OWN_METRICS
from .wheels import wheel

MODEL = "xgboost-model"
CHECKPOINT = "xgboost-checkpoint"
CHECKPOINTS_KEPT = 5
SAVES_ITSELF = (1, 3)
NOT_XGBOOSTS = {
    *("_tuning_objective_metric", "_num_cv_round", "csv_weights", "early_stopping_rounds", "eval_metric"),
    *("num_round", "save_model_on_termination", "silent", "use_dask_gpu_training"),
}
THE_USERS_ERRORS = (  # in the words of xgboost 1 and of xgboost 3
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "label must be discrete values in the range of [0, num_class)",
    "label must be nonnegative",
    "label must be non-negative",
    "base_score must be in (0,1) for",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "the dataset only contains pos or neg samples",
    "Parameter reg_lambda should be greater equal to 0",
)

log = logging.getLogger("sagemaker_xgboost_container")


class Training:
    """One run of xgboost over matrices that are ready."""

    def __init__(
        self,
        model: Path,
        checkpoints: Path | None,
        tag: tuple[int, ...],
        given: dict[str, Any],
        data: dict[str, Any],
    ) -> None:
        """`given` are the hyperparameters, `data` a matrix for each channel."""
        self._model = model
        self._tag = tag
        self._given = given
        self._data = data
        self._checkpoints = checkpoints

    def run(self) -> None:
        """Train, and leave the model."""
        xgboost = wheel("xgboost")
        log.info("Single node training.")
        rows = self._data["train"]
        log.info("Train matrix has %s rows and %s columns", rows.num_row(), rows.num_col())
        if "validation" in self._data:
            log.info("Validation matrix has %s rows", self._data["validation"].num_row())
        metrics, own = self._metrics()
        parameters = self._parameters(metrics)
        started_from, rounds_done = self._latest_checkpoint()
        try:
            booster = xgboost.train(
                parameters,
                rows,
                num_boost_round=self._given["num_round"] - rounds_done,
                evals=[(self._data[name], name) for name in ("train", "validation") if name in self._data],
                callbacks=self._callbacks(rounds_done),
                xgb_model=started_from,
                verbose_eval=False,
                **({"custom_metric": own} if own else {}),
            )
        except Exception as error:
            if any(text in str(error) for text in THE_USERS_ERRORS):
                raise UserError(str(error)) from error
            raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error
        self._save(booster, self._model / MODEL)

    def _parameters(self, metrics: list[str]) -> dict[str, Any]:
        """What xgboost takes of the hyperparameters."""
        own = {name: value for name, value in self._given.items() if name not in NOT_XGBOOSTS}
        own.update({"eval_metric": metrics} if metrics else {})
        own.update({"updater": ",".join(own["updater"])} if "updater" in own else {})
        if own.get("objective") == "reg:linear":  # newer xgboost cannot slice a model by that name
            own["objective"] = "reg:squarederror"
        return own

    def _metrics(self) -> tuple[list[str], Callable[[Any, Any], Any] | None]:
        """Metrics that xgboost computes, and a function for those that it does not."""
        asked = [*self._given.get("eval_metric", []), *self._of_tuning()]
        names = list(dict.fromkeys(asked))
        ours = [name for name in names if name in OWN_METRICS]

        def computed(predicted: Any, rows: Any) -> list[tuple[str, float]]:
            return [(name, OWN_METRICS[name](rows.get_label(), predicted)) for name in ours]

        return [name for name in names if name not in OWN_METRICS], computed if ours else None

    def _of_tuning(self) -> list[str]:
        objective = self._given.get("_tuning_objective_metric", "")
        return objective.split(":")[1].split(",") if objective else []

    def _callbacks(self, rounds_done: int) -> list[Any]:
        callback = wheel("xgboost.callback")
        made = [callback.EvaluationMonitor()]
        if self._checkpoints:
            made.append(_after_each_round(self._keep_checkpoint, rounds_done))
        if self._given.get("save_model_on_termination") == "true":
            made.append(_after_each_round(lambda booster, _: self._save(booster, self._model / MODEL), 0))
            signal.signal(signal.SIGTERM, self._end_with_what_is_saved)
        patience = self._given.get("early_stopping_rounds")
        metric = (self._of_tuning() or self._given.get("eval_metric") or [None])[-1]
        if patience and self._tag < SAVES_ITSELF:  # xgboost's own way: the last metric of the last matrix
            made.append(callback.EarlyStopping(rounds=patience))
        elif patience and metric and "validation" in self._data:
            stopping = {"rounds": patience, "metric_name": metric, "data_name": "validation"}
            made.append(callback.EarlyStopping(**stopping, maximize=metric in MAXIMIZED, save_best=True))
        return made

    def _save(self, booster: Any, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # xgboost would like a name with an ending
            if self._tag < SAVES_ITSELF:
                new.write_bytes(pickle.dumps(booster))
            else:
                booster.save_model(str(new))
        new.replace(path)

    def _end_with_what_is_saved(self, _number: int, _frame: object) -> NoReturn:
        for path in self._model.glob("*"):
            if path.is_file() and path.name != MODEL:
                path.unlink()
        os._exit(0)

    def _latest_checkpoint(self) -> tuple[str | None, int]:
        found = self._kept_checkpoints()
        if not found:
            return None, 0
        log.info("Checkpoint loaded from %s", found[-1][1])
        log.info("Resuming from iteration %s", found[-1][0] + 1)
        return str(found[-1][1]), found[-1][0] + 1

    def _kept_checkpoints(self) -> list[tuple[int, Path]]:
        paths = list(self._checkpoints.glob(f"{CHECKPOINT}.*")) if self._checkpoints else []
        return sorted(
            (int(path.name.split(".")[1]), path) for path in paths if path.name.split(".")[1].isdigit()
        )

    def _keep_checkpoint(self, booster: Any, iteration: int) -> None:
        assert self._checkpoints is not None
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        new = self._checkpoints / f"{CHECKPOINT}.new"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            booster.save_model(str(new))
        new.replace(self._checkpoints / f"{CHECKPOINT}.{iteration}")
        for _, path in self._kept_checkpoints()[:-CHECKPOINTS_KEPT]:
            path.unlink()


def _after_each_round(act: Callable[[Any, int], None], rounds_done: int) -> Any:
    def after_iteration(_self: Any, model: Any, epoch: int, _metrics: Any) -> bool:
        act(model, rounds_done + epoch)
        return False

    callback = wheel("xgboost.callback")
    return type("AfterEachRound", (callback.TrainingCallback,), {"after_iteration": after_iteration})()
