"""The user's handlers, and the defaults of AWS's images for those that the user left out.

https://sagemaker.readthedocs.io/en/v2/frameworks/sklearn/using_sklearn.html#deploy-a-scikit-learn-model
https://github.com/aws/sagemaker-inference-toolkit, https://github.com/aws/sagemaker-scikit-learn-container
"""

from __future__ import annotations

import os
from inspect import signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Callable

from .boosting import predicted, rows
from .encodings import CSV, JSON, UnsupportedFormat, decoded, encoded, package
from .http_server import Answer, Refused

FRAMEWORKS = ("sklearn", "torch", "xgboost", "other")

ANY = "*/*"
TEXTS = (CSV, JSON)


class UserModel:
    """A model of the user's module. Loading it raises what model_fn raises."""

    def __init__(self, module: ModuleType, folder: Path, framework: str) -> None:
        given = {name: getattr(module, name, None) for name in (*_DEFAULTS, "transform_fn")}
        if given["transform_fn"] and (given["input_fn"] or given["predict_fn"] or given["output_fn"]):
            raise ValueError(
                "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or "
                "output_fn implementation"
            )
        if given["model_fn"] is None and (hasattr(module, "input_handler") or hasattr(module, "handler")):
            raise ValueError(
                "input_handler, output_handler and handler are those of TensorFlow Serving, which is not "
                "here: write model_fn and predict_fn, or run the image in a container"
            )
        self._fns: dict[str, Any] = {
            name: given[name] or _OF_FRAMEWORKS.get((framework, name), default)
            for name, default in _DEFAULTS.items()
        }
        self._transform = given["transform_fn"] or self._transformed
        self._parameters = getattr(module, "execution_parameters_fn", None)
        self._context = SimpleNamespace(system_properties={"model_dir": str(folder), "gpu_id": None})
        self._model = self._call(self._fns["model_fn"], str(folder))

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Answer:
        """By transform_fn, or by the three others."""
        kind = content_type or JSON
        wanted = accept if accept and accept != ANY else _accept_by_default()
        content: Any = body.decode("utf-8") if _bare(kind) in TEXTS else body
        result = self._call(self._transform, self._model, content, kind, wanted)
        if isinstance(result, Answer):
            return result
        if isinstance(result, tuple) and len(result) == 2:
            result, wanted = result
        return Answer(_bytes(result), str(wanted))

    def execution_parameters(self) -> dict[str, Any] | None:
        """As scikit-learn's image asks the user's module."""
        if self._parameters is None:
            return None
        found: dict[str, Any] = self._parameters()
        return found

    def _transformed(self, model: Any, content: Any, content_type: str, accept: str) -> Any:
        try:
            data = self._call(self._fns["input_fn"], content, content_type)
        except UnsupportedFormat as error:
            raise Refused(415, str(error)) from error
        prediction = self._call(self._fns["predict_fn"], data, model)
        try:
            return self._call(self._fns["output_fn"], prediction, accept)
        except UnsupportedFormat as error:
            raise Refused(406, str(error)) from error

    def _call(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        """A handler may take a last argument, `context`."""
        takes = len(signature(fn).parameters)
        if takes == len(arguments) + 1:
            return fn(*arguments, self._context)
        return fn(*arguments)


def _accept_by_default() -> str:
    return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _bytes(result: Any) -> bytes:
    if isinstance(result, (bytes, bytearray)):
        return bytes(result)
    if hasattr(result, "get_data"):  # a response of Flask or Werkzeug
        return bytes(result.get_data())
    return str(result).encode("utf-8")


def _model_fn(model_dir: str) -> Any:
    raise NotImplementedError(
        f"Please provide a model_fn implementation: nothing here knows how to load {model_dir}."
    )


def _input_fn(content: Any, content_type: str) -> Any:
    return decoded(content, _bare(content_type))


def _predict_fn(data: Any, model: Any) -> Any:
    return model.predict(data)


def _output_fn(prediction: Any, accept: str) -> Any:
    return encoded(prediction, _bare(accept)), accept


def _sklearn_input_fn(content: Any, content_type: str) -> Any:
    data = decoded(content, _bare(content_type))
    return data.astype("float32") if _bare(content_type) in TEXTS else data


def _torch_model_fn(model_dir: str) -> Any:
    """The one model.pt or .pth that torch.jit has saved, as PyTorch's image loads it."""
    torch = package("torch")
    found = sorted(path for path in Path(model_dir).iterdir() if path.suffix in (".pt", ".pth"))
    if len(found) != 1:
        raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {found}")
    return torch.jit.load(str(found[0]), map_location="cpu")


def _torch_input_fn(content: Any, content_type: str) -> Any:
    data = decoded(content, _bare(content_type))
    return package("torch").FloatTensor(data)


def _torch_predict_fn(data: Any, model: Any) -> Any:
    torch = package("torch")
    with torch.no_grad():
        model.eval()
        return model(data)


def _torch_output_fn(prediction: Any, accept: str) -> Any:
    found = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else prediction
    return _output_fn(found, accept)


_DEFAULTS: dict[str, Callable[..., Any]] = {
    "model_fn": _model_fn,
    "input_fn": _input_fn,
    "predict_fn": _predict_fn,
    "output_fn": _output_fn,
}

_OF_FRAMEWORKS: dict[tuple[str, str], Callable[..., Any]] = {
    ("sklearn", "input_fn"): _sklearn_input_fn,
    ("torch", "model_fn"): _torch_model_fn,
    ("torch", "input_fn"): _torch_input_fn,
    ("torch", "predict_fn"): _torch_predict_fn,
    ("torch", "output_fn"): _torch_output_fn,
    ("xgboost", "input_fn"): rows,
    ("xgboost", "predict_fn"): predicted,
}
