"""Arrays as JSON, CSV and NPY, as AWS's images read and write them."""

from __future__ import annotations

import importlib
import io
import json
from typing import Any

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


class UnsupportedFormat(Exception):
    """A content type that no default handler knows."""

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework.\n\nPlease implement input_fn "
            "to deserialize the request data or an output_fn to serialize the response."
        )


def decoded(content: Any, content_type: str) -> Any:
    """An array of NumPy. Raises UnsupportedFormat, and what a reader raises."""
    numpy = package("numpy")
    if content_type == JSON:
        return numpy.array(json.loads(content))
    if content_type == CSV:
        return numpy.genfromtxt(io.StringIO(content), delimiter=",")
    if content_type == NPY:
        # pickled objects are refused: a request may not bring code
        return numpy.load(io.BytesIO(content), allow_pickle=False)
    raise UnsupportedFormat(content_type)


def encoded(values: Any, accept: str) -> Any:
    """The text or bytes of an array, a list or a dict. Raises UnsupportedFormat."""
    if accept == JSON:
        return json.dumps(values.tolist() if hasattr(values, "tolist") else values)
    if accept == CSV:
        stream = io.StringIO()
        package("numpy").savetxt(stream, values, delimiter=",", fmt="%s")
        return stream.getvalue()
    if accept == NPY:
        buffer = io.BytesIO()
        package("numpy").save(buffer, values, allow_pickle=False)
        return buffer.getvalue()
    raise UnsupportedFormat(accept)


def package(name: str) -> Any:
    """A package of the user's environment. Raises ImportError with advice."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        advice = f"name it in requirements.txt, or install it with: pip install {name}"
        raise ImportError(f"{name} is not installed in this environment; {advice}") from None
