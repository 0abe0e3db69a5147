"""What an image stands for."""

from typing import Any

import pytest

from passrole.config import ImageRule, ImageRules
from passrole.runtimes import image_names, images
from passrole.runtimes.images import CannotRun, Chosen, Machine

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SCRIPT = {"sagemaker_program": '"train.py"'}


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        (f"{REGISTRY}/sagemaker-xgboost:1.7-1", "sagemaker-xgboost", "1.7-1"),
        ("localhost:5000/team/mine", "mine", None),
        ("mine@sha256:00ff", "mine", None),
        ("mine:1@sha256:00ff", "mine", "1"),
    ],
)
def test_the_parts_of_an_image(image: str, repository: str, tag: str | None) -> None:
    assert (image_names.repository(image), image_names.tag(image)) == (repository, tag)


@pytest.mark.parametrize(
    ("name", "hyperparameters", "entrypoint", "form"),
    [
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", SCRIPT, None, "script"),
        ("pytorch-training:2.0-cpu-py310", SCRIPT, None, "script"),
        ("huggingface-pytorch-training:2.0", SCRIPT, None, "script"),
        ("sagemaker-xgboost:1.7-1", SCRIPT, None, "script"),
        ("sagemaker-xgboost:1.7-1", {}, None, "xgboost"),
        ("pytorch-training:2.0-cpu-py310", {}, ["/bin/bash"], "entrypoint"),
        ("anything", {}, ["python3", "/x.py"], "entrypoint"),
    ],
)
def test_the_form_of_a_training_job(
    name: str, hyperparameters: dict[str, str], entrypoint: list[str] | None, form: str
) -> None:
    specification: dict[str, Any] = {"TrainingImage": f"{REGISTRY}/{name}"}
    if entrypoint:
        specification["ContainerEntrypoint"] = entrypoint
    assert images.training(specification, hyperparameters, Machine()).form == form


@pytest.mark.parametrize(
    ("specification", "hyperparameters"),
    [
        ({"TrainingImage": f"{REGISTRY}/linear-learner:1"}, {}),
        ({"TrainingImage": f"{REGISTRY}/sagemaker-scikit-learn:1.2-1"}, {}),
        ({"TrainingImage": "mine"}, SCRIPT),
        ({"AlgorithmName": "arn:aws:sagemaker:us-east-1:1:algorithm/a"}, {}),
    ],
)
def test_what_cannot_run_is_refused_with_advice(
    specification: dict[str, Any], hyperparameters: dict[str, str]
) -> None:
    with pytest.raises(CannotRun, match=r"images|TrainingImage"):
        images.training(specification, hyperparameters, Machine())


def test_a_processing_job_runs_its_entrypoint() -> None:
    entrypoint = {"ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/x.py"]}
    assert images.processing({"ImageUri": "i", **entrypoint}, Machine()).form == "entrypoint"
    spark = {"ImageUri": f"{REGISTRY}/sagemaker-spark-processing:3.3-cpu", **entrypoint}
    assert images.processing(spark, Machine()).form == "spark"
    with pytest.raises(CannotRun):
        images.processing({"ImageUri": f"{REGISTRY}/linear-learner:1"}, Machine())


@pytest.mark.parametrize(
    ("image", "form"),
    [
        ("sagemaker-model-monitor-analyzer", "quality analyser"),
        ("sagemaker-clarify-processing:1.0", "bias analyser"),
    ],
)
def test_a_closed_analyser_is_emulated_unless_the_user_says_otherwise(image: str, form: Any) -> None:
    specification = {"ImageUri": f"{REGISTRY}/{image}"}
    docker = Machine(has_containers=lambda: True)
    assert images.processing(specification, docker) == Chosen(form)
    own = Machine(ImageRules("*-analyzer*=python:/env *clarify*=python:/env").rules)
    assert images.processing(specification, own) == Chosen(form, "/env")
    real = Machine(ImageRules("*-analyzer*=container *clarify*=container").rules)
    assert images.processing(specification, real) == Chosen("container")
    other = Machine(ImageRules("*=command:mine").rules)
    assert images.processing(specification, other) == Chosen("command", command=("mine",))


def test_the_users_own_word_comes_first() -> None:
    own = ImageRules("*/mine:*=python:/env */r:*=command:Rscript").rules
    assert own == (ImageRule("*/mine:*", "python", "/env"), ImageRule("*/r:*", "command", "Rscript"))
    assert images.training({"TrainingImage": "x/mine:1"}, SCRIPT, Machine(own)).environment == "/env"
    assert images.training({"TrainingImage": "x/r:1"}, {}, Machine(own)) == Chosen(
        "command", command=("Rscript", "train")
    )
    assert images.processing({"ImageUri": "x/mine:1"}, Machine(own)) == Chosen("entrypoint", "/env")


@pytest.mark.parametrize(
    "text", ["x", "x=", "x=python", "x=python:", "x=docker:y", "=python:/env", "x=container:y", "=container"]
)
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not GLOB"):
        ImageRules(text)


def test_a_container_is_the_last_way_and_a_rule_the_first() -> None:
    with_containers = Machine(finds=lambda name: name == "python3", has_containers=lambda: True)
    assert images.training({"TrainingImage": "linear-learner:1"}, {}, with_containers).form == "container"
    assert images.processing({"ImageUri": "model-monitor"}, with_containers).form == "container"
    for program, form in (("python3", "entrypoint"), ("their-own", "container")):
        specification = {"ContainerEntrypoint": [program]}
        assert images.processing({"ImageUri": "i", **specification}, with_containers).form == form
        assert images.training({"TrainingImage": "i", **specification}, {}, with_containers).form == form
    ruled = Machine(ImageRules("*scikit*=container").rules)
    assert images.training({"TrainingImage": "sagemaker-scikit-learn:1"}, SCRIPT, ruled).form == "container"


def test_a_rule_may_have_spaces_in_quotes() -> None:
    own = Machine(ImageRules("'*/mine:*=command:Rscript --vanilla' '*/b:*=python:/a b/env'").rules)
    assert images.processing({"ImageUri": "x/mine:1"}, own).command == ("Rscript", "--vanilla")
    assert images.processing({"ImageUri": "x/b:1"}, own).environment == "/a b/env"


def test_the_sdk_s_own_programs_are_known_whatever_the_image() -> None:
    driver = "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"
    specification = {"TrainingImage": "x/any:1", "ContainerEntrypoint": ["/bin/bash", driver]}
    assert images.training(specification, {}, Machine()) == Chosen("function")
    own = ImageRules("*/any:*=python:/env").rules
    assert images.training(specification, {}, Machine(own)) == Chosen("function", "/env")
    notebook = {"TrainingImage": "x/any:1", "ContainerEntrypoint": ["amazon_sagemaker_scheduler"]}
    with_containers = Machine(finds=lambda _: False, has_containers=lambda: True)
    assert images.training(notebook, {}, with_containers) == Chosen("notebook")
    for rule, form in (("*/any:*=command:/bin/sh", "command"), ("*/any:*=container", "container")):
        assert images.training(specification, {}, Machine(ImageRules(rule).rules)).form == form
