"""A model behind the user's inference.py answers as AWS's images do."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from tests.runtimes.programs.served_model import DOUBLE, ServedModel
from tests.runtimes.programs.training_folder import tiny_wheel


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    return ServedModel(tmp_path / "ml", "--form", "script", "--framework", "sklearn").code(DOUBLE)


def test_defaults_read_and_write_json_csv_and_npy(model: ServedModel) -> None:
    npy = io.BytesIO()
    np.save(npy, np.array([[1.0, 2.0]]))
    with model.served():
        of_csv = model.invoke("1,2\n3,4\n", "text/csv", Accept="text/csv")
        of_json = model.invoke("[[1, 2]]", "application/json; charset=utf-8")
        of_npy = model.invoke(npy.getvalue(), "application/x-npy", Accept="application/x-npy")
    assert (of_csv.status, of_csv.content_type, of_csv.body) == (200, "text/csv", b"2.0,4.0\n6.0,8.0\n")
    assert (of_json.content_type, json.loads(of_json.body)) == ("application/json", [[2.0, 4.0]])
    assert np.load(io.BytesIO(of_npy.body)).tolist() == [[2.0, 4.0]]


def test_a_format_without_a_handler_has_awss_status(model: ServedModel) -> None:
    with model.served():
        assert model.invoke("x", "image/png").status == 415
        refused = model.invoke("1,2", "text/csv", Accept="image/png")
    assert (refused.status, b"image/png is not supported by this framework" in refused.body) == (406, True)


def test_objects_in_npy_are_refused(model: ServedModel) -> None:
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object))
    with model.served():
        answer = model.invoke(pickled.getvalue(), "application/x-npy")
    assert (answer.status, b"allow_pickle=False" in answer.body) == (500, True)


def test_the_four_handlers_are_the_users(tmp_path: Path) -> None:
    model = ServedModel(tmp_path / "ml", "--form", "script").code("""
        def model_fn(model_dir, context):
            return context.system_properties["model_dir"]

        def input_fn(content, content_type):
            return content, content_type

        def predict_fn(data, model):
            return [*data, model]

        def output_fn(prediction, accept):
            return "|".join(prediction), "text/mine"
        """)
    with model.served():
        answer = model.invoke("a,b", "text/csv")
    assert (answer.content_type, answer.body.decode()) == ("text/mine", f"a,b|text/csv|{tmp_path}/ml/model")


def test_transform_fn_stands_for_three_and_excludes_them(tmp_path: Path) -> None:
    source = "def model_fn(d):\n    return 3\n\ndef transform_fn(model, data, content_type, accept):\n"
    model = ServedModel(tmp_path / "ml", "--form", "script").code(source + "    return data * model\n")
    with model.served():
        assert model.invoke(b"\x01", "image/png").body == b"\x01" * 3
    code, said = model.code(source + "    return 1\n\ndef predict_fn(data, model):\n    return 1\n").ended()
    assert (code, "Cannot use transform_fn implementation in conjunction with" in said) == (1, True)


def test_an_error_of_the_users_code_is_500_with_its_traceback(model: ServedModel) -> None:
    with model.served():
        answer = model.invoke("{", "application/json")
        assert model.get("/ping").status == 200
    assert (answer.status, b"Traceback" in answer.body, b"JSONDecodeError" in answer.body) == (
        500,
        True,
        True,
    )


def test_execution_parameters_are_there_where_the_module_tells_them(model: ServedModel) -> None:
    with model.served():
        assert model.get("/execution-parameters").status == 404
    told = "\ndef execution_parameters_fn():\n    return {'MaxPayloadInMB': 2}\n"
    path = model.base / "model/code/inference.py"
    path.write_text(path.read_text() + told)
    with model.served():
        answer = model.get("/execution-parameters")
    assert (answer.content_type, json.loads(answer.body)) == ("application/json", {"MaxPayloadInMB": 2})


def test_code_that_was_fetched_counts_before_the_archives(model: ServedModel, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "mine.py").write_text(
        "def model_fn(d):\n    return 5\ndef predict_fn(x, m):\n    return x * m\n"
    )
    with tarfile.open(tmp_path / "code.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=".")
    model.options = (*model.options, "--code", str(tmp_path / "code.tar.gz"))
    model.environment = {"SAGEMAKER_PROGRAM": "mine.py", "SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/code.tar.gz"}
    with model.served():
        assert model.invoke("1,2", "text/csv").body == b"[5.0, 10.0]"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def input_handler(data, context):\n    return data\n", "those of TensorFlow Serving"),
        ("x = 1\n", "Please provide a model_fn implementation"),
        ("import missing_package\n", "No module named 'missing_package'"),
    ],
)
def test_what_cannot_be_served_ends_with_the_reason(tmp_path: Path, source: str, said: str) -> None:
    code, told = ServedModel(tmp_path / "ml", "--form", "script").code(source).ended()
    assert (code, said in told) == (1, True), told


def test_without_a_module_it_says_where_one_belongs(tmp_path: Path) -> None:
    code, told = ServedModel(tmp_path / "ml", "--form", "script").ended()
    assert (code, "There is no inference.py" in told, "Traceback" in told) == (1, True, False)


def test_requirements_are_installed_before_the_module_is_imported(tmp_path: Path) -> None:
    model = ServedModel(tmp_path / "ml", "--form", "script")
    model.code("import tiny\ndef model_fn(d):\n    return 7\ndef predict_fn(x, m):\n    return [m]\n")
    model.code("./tiny-1.0-py3-none-any.whl\n", "requirements.txt")
    tiny_wheel(model.base / "model/code")
    model.environment = {"PIP_NO_INDEX": "1"}
    with model.served():
        assert model.invoke("1,2", "text/csv").body == b"[7]"
    model.code("nothing-such\n", "requirements.txt")
    code, told = model.ended()
    assert (code, "InstallRequirementsError" in told) == (1, True), told
