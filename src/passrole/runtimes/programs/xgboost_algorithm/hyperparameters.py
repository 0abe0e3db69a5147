"""Hyperparameters as sagemaker-xgboost-container checks them, in its words.

https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

from __future__ import annotations

import ast
from typing import Any

from .errors import UserError

TAKES_SILENT_UNTIL = (1, 2)


def checked(given: dict[str, str], tag: tuple[int, ...]) -> dict[str, Any]:
    """Hyperparameters as xgboost takes them. Raises UserError for the first that is wrong."""
    if "num_round" not in given:
        raise UserError("Missing required hyperparameter: num_round")
    values: dict[str, Any] = {}
    for alias, text in given.items():
        name = ALIASES.get(alias, alias)
        if name not in KINDS and not (name == "silent" and tag < TAKES_SILENT_UNTIL):
            raise UserError(f"Extraneous hyperparameter found: {alias}")
        parse, _ = KINDS.get(name, (int, "[0, 1]"))
        try:
            values[name] = parse(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
            cause = type(error).__name__
            raise UserError(f"Hyperparameter {alias}: could not parse value (caused by {cause})") from error
    for name, value in values.items():
        _check_range(name, value, KINDS.get(name, (int, "[0, 1]"))[1])
    _check_together(values)
    if "_kfold" in values:
        raise UserError("Hyperparameter _kfold: cross validation is not run here")
    return values


def _check_range(name: str, value: Any, allowed: Any) -> None:
    if name == "eval_metric":
        if not all(_is_metric(each) for each in value):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {METRICS}")
    elif name == "interaction_constraints":
        if not all(_is_in(each, allowed) for inner in value for each in inner):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {allowed}")
    elif isinstance(value, (list, tuple)):
        if not all(each in allowed for each in value):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {allowed}")
    elif not (_is_in(value, allowed) if isinstance(allowed, str) else value in allowed):
        raise UserError(f"Hyperparameter {name}: {value} is not in {allowed}")


def _is_in(value: Any, interval: str) -> bool:
    """Whether a number is in an interval, written as mathematicians do: `(0, 1]`, `[1, +inf)`."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    return above and (value <= high if interval[-1] == "]" else value < high or high == float("inf"))


def _is_metric(metric: str) -> bool:
    if "<function" in metric:
        raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
    if "@" not in metric:
        return metric in METRICS
    name, threshold = (part.strip() for part in metric.split("@")[:2])
    if name not in ("error", "ndcg", "map"):
        raise UserError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
    return True


def _check_together(values: dict[str, Any]) -> None:
    objective = values.get("objective", "reg:squarederror")
    metrics = values.get("eval_metric", [])
    method = values.get("tree_method")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )
    if values.get("process_type") == "update" and set(values.get("updater", [])) - {"refresh", "prune"}:
        raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")


def _words(text: str) -> list[str]:
    return text.split(",")


def _literal(text: str) -> Any:
    return ast.literal_eval(text)


MAXIMIZED = (
    *(
        "accuracy",
        "auc",
        "aucpr",
        "balanced_accuracy",
        "f1",
        "f1_binary",
        "f1_macro",
        "map",
        "ndcg",
        "precision",
    ),
    *("r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED = (
    *(
        "aft-nloglik",
        "cox-nloglik",
        "error",
        "gamma-deviance",
        "gamma-nloglik",
        "interval-regression-accuracy",
    ),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    *("tweedie-nloglik",),
)
METRICS = [*MAXIMIZED, *MINIMIZED]

ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}

_FLAG = ["true", "false"]
_OBJECTIVES = [
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear"),
    *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror"),
    *("reg:tweedie", "survival:aft", "survival:cox", "reg:absoluteerror", "reg:quantileerror"),
]
_UPDATERS = [
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_skmaker"),
    *("grow_quantile_histmaker", "sync", "refresh", "prune", "shotgun", "coord_descent"),
]

# what a text is parsed by, and what it may be: an interval, or some texts
KINDS: dict[str, tuple[Any, Any]] = {
    "num_round": (int, "[1, +inf)"),
    "csv_weights": (int, "[0, 1]"),
    "early_stopping_rounds": (int, "[1, +inf)"),
    "booster": (str, ["gbtree", "gblinear", "dart"]),
    "verbosity": (int, "[0, 3]"),
    "nthread": (int, "[1, +inf)"),
    "eta": (float, "[0, 1]"),
    "gamma": (float, "[0, +inf)"),
    "max_depth": (int, "[0, +inf)"),
    "min_child_weight": (float, "[0, +inf)"),
    "max_delta_step": (float, "[0, +inf)"),
    "subsample": (float, "(0, 1]"),
    "colsample_bytree": (float, "(0, 1]"),
    "colsample_bylevel": (float, "(0, 1]"),
    "colsample_bynode": (float, "(0, 1]"),
    "lambda": (float, "[0, +inf)"),
    "alpha": (float, "[0, +inf)"),
    "tree_method": (str, ["auto", "exact", "approx", "hist", "gpu_hist"]),
    "sketch_eps": (float, "(0, 1)"),
    "scale_pos_weight": (float, "(0, +inf)"),
    "updater": (_words, _UPDATERS),
    "dsplit": (str, ["row", "col"]),
    "refresh_leaf": (int, "[0, 1]"),
    "process_type": (str, ["default", "update"]),
    "grow_policy": (str, ["depthwise", "lossguide"]),
    "max_leaves": (int, "[0, +inf)"),
    "max_bin": (int, "[0, +inf)"),
    "predictor": (str, ["auto", "cpu_predictor", "gpu_predictor"]),
    "monotone_constraints": (_literal, [-1, 0, 1]),
    "interaction_constraints": (_literal, "[1, +inf)"),
    "sample_type": (str, ["uniform", "weighted"]),
    "normalize_type": (str, ["tree", "forest"]),
    "rate_drop": (float, "[0, 1]"),
    "one_drop": (int, "[0, 1]"),
    "skip_drop": (float, "[0, 1]"),
    "lambda_bias": (float, "[0, 1]"),
    "tweedie_variance_power": (float, "(1, 2)"),
    "objective": (str, _OBJECTIVES),
    "num_class": (int, "[2, +inf)"),
    "base_score": (float, "[0, +inf)"),
    "_kfold": (int, "[2, +inf)"),
    "_num_cv_round": (int, "[1, +inf)"),
    "_tuning_objective_metric": (str, [f"validation:{metric}" for metric in METRICS]),
    "eval_metric": (_words, METRICS),
    "seed": (int, "(-2147483648, 2147483647)"),
    "num_parallel_tree": (int, "[1, +inf)"),
    "save_model_on_termination": (str, _FLAG),
    "aft_loss_distribution": (str, ["normal", "logistic", "extreme"]),
    "aft_loss_distribution_scale": (float, "[0, +inf)"),
    "single_precision_histogram": (str, _FLAG),
    "deterministic_histogram": (str, _FLAG),
    "sampling_method": (str, ["uniform", "gradient_based"]),
    "prob_buffer_row": (int, "(1.0, +inf)"),
    "use_dask_gpu_training": (str, ["false"]),
}
