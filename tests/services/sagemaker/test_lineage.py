"""Lineage through boto3: entities, what joins them, and the graph that these are."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal

TAG = {"Key": "team", "Value": "ml"}


class Lineage:
    """Makes entities under names of its own."""

    def __init__(self, server: Server) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")

    def action(self, **members: Any) -> str:
        source = {"SourceUri": "s3://b/run", "SourceType": "Job"}
        request = {"ActionName": new_name("run"), "ActionType": "Training", "Source": source, **members}
        return str(self.sagemaker.create_action(**request)["ActionArn"])

    def artifact(self, uri: str = "", **members: Any) -> str:
        source = {"SourceUri": uri or f"s3://b/{new_name('data')}"}
        request = {"ArtifactType": "DataSet", "Source": source, **members}
        return str(self.sagemaker.create_artifact(**request)["ArtifactArn"])

    def context(self, **members: Any) -> str:
        request = {"ContextName": new_name("project"), "ContextType": "Project", **members}
        return str(self.sagemaker.create_context(**{"Source": {"SourceUri": "p"}, **request})["ContextArn"])

    def join(self, source: str, destination: str, type_: str = "ContributedTo") -> None:
        self.sagemaker.add_association(SourceArn=source, DestinationArn=destination, AssociationType=type_)


@pytest.fixture(scope="module")
def lineage(server: Server) -> Lineage:
    return Lineage(server)


def test_an_action_is_described_by_name_and_arn_with_all_that_was_given(lineage: Lineage) -> None:
    name = new_name("run")
    given: dict[str, Any] = {"Description": "d", "Status": "Completed", "Properties": {"a": "b"}}
    arn = lineage.action(ActionName=name, Tags=[TAG], **given)
    assert arn.endswith(f":action/{name}")
    described = lineage.sagemaker.describe_action(ActionName=name)
    assert {key: described[key] for key in given} == given
    assert described["Source"] == {"SourceUri": "s3://b/run", "SourceType": "Job"}
    assert described["CreatedBy"]["IamIdentity"]["Arn"]
    assert lineage.sagemaker.describe_action(ActionName=arn)["ActionName"] == name
    assert lineage.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [TAG]


def test_names_of_actions_and_contexts_and_sources_of_artifacts_are_given_once(lineage: Lineage) -> None:
    name, uri = new_name("twice"), f"s3://b/{new_name('twice')}"
    made = [lineage.action(ActionName=name), lineage.context(ContextName=name), lineage.artifact(uri)]
    for again in (
        lambda: lineage.action(ActionName=name),
        lambda: lineage.context(ContextName=name),
        lambda: lineage.artifact(uri, ArtifactName="other"),
    ):
        code, message = refusal(again)
        assert code == "ValidationException" and message.endswith("already exists.")
        assert any(arn in message for arn in made)


def test_entities_are_updated_and_say_when_and_by_whom(lineage: Lineage) -> None:
    server, before = lineage.server, {"a": "1", "b": "2"}
    run = lineage.action(Status="InProgress", Description="old", Properties=before)
    data, project = lineage.artifact(Properties=before), lineage.context(Properties=before)
    run_name, project_name = (arn.rpartition("/")[2] for arn in (run, project))
    user = server.user(allowing("sagemaker:Update*"))
    caller = server.client_with("sagemaker", user["access_key_id"], user["secret_access_key"])
    described: dict[str, Callable[[], Any]] = {
        "Action": lambda: lineage.sagemaker.describe_action(ActionName=run_name),
        "Artifact": lambda: lineage.sagemaker.describe_artifact(ArtifactArn=data),
        "Context": lambda: lineage.sagemaker.describe_context(ContextName=project_name),
    }
    first = {word: describe() for word, describe in described.items()}
    for each in first.values():
        assert (each["LastModifiedTime"], each["LastModifiedBy"]) == (each["CreationTime"], each["CreatedBy"])
    changed = caller.update_action(ActionName=run_name, Status="Completed", Properties={"c": "3"})
    assert changed["ActionArn"] == run
    assert caller.update_artifact(ArtifactArn=data, ArtifactName="n")["ArtifactArn"] == data
    changed = caller.update_context(ContextName=project_name, PropertiesToRemove=["a", "z"])
    assert changed["ContextArn"] == project
    after = {word: describe() for word, describe in described.items()}
    for word, each in after.items():
        assert each["CreationTime"] == first[word]["CreationTime"] < each["LastModifiedTime"]
        assert each["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(f"/{user['user']}")
        assert each["CreatedBy"] == first[word]["CreatedBy"] != each["LastModifiedBy"]
    action, artifact, context = (after[word] for word in ("Action", "Artifact", "Context"))
    assert (action["Status"], action["Description"], action["Properties"]) == ("Completed", "old", {"c": "3"})
    assert (artifact["ArtifactName"], artifact["Properties"]) == ("n", before)
    assert context["Properties"] == {"b": "2"}
    caller.update_action(ActionName=run_name, Properties={"d": "4", "e": "5"}, PropertiesToRemove=["d"])
    assert described["Action"]()["Properties"] == {"e": "5"}


def test_each_update_asks_its_own_action_of_its_own_entity(lineage: Lineage) -> None:
    asked = {
        "Action": {"ActionName": lineage.action().rpartition("/")[2]},
        "Artifact": {"ArtifactArn": lineage.artifact()},
        "Context": {"ContextName": lineage.context().rpartition("/")[2]},
    }
    other = lineage.server.client("sagemaker", allowing("sagemaker:Describe*", "sagemaker:Create*"))
    for word, named in asked.items():
        call = f"update_{word.lower()}"
        code, message = refusal(getattr(other, call), **named)
        (named_value,) = named.values()
        assert code == "AccessDeniedException" and f"sagemaker:Update{word} on resource: " in message
        assert named_value.rpartition("/")[2] in message
        own = allowing(f"sagemaker:Update{word}", resource=f"arn:aws:sagemaker:*:*:{word.lower()}/*")
        getattr(lineage.server.client("sagemaker", own), call)(**named)


def test_what_is_not_there_is_refused(lineage: Lineage) -> None:
    sagemaker, arn = lineage.sagemaker, lineage.artifact()
    gone = arn[:-1] + ("0" if arn[-1] != "0" else "1")
    for call, asked in (
        (sagemaker.describe_action, {"ActionName": "none"}),
        (sagemaker.describe_artifact, {"ArtifactArn": gone}),
        (sagemaker.describe_context, {"ContextName": "none"}),
        (sagemaker.update_action, {"ActionName": "none"}),
        (sagemaker.update_artifact, {"ArtifactArn": gone}),
        (sagemaker.update_context, {"ContextName": "none"}),
        (sagemaker.delete_artifact, {"Source": {"SourceUri": "s3://b/none"}}),
        (sagemaker.add_association, {"SourceArn": arn, "DestinationArn": gone}),
        (sagemaker.delete_association, {"SourceArn": arn, "DestinationArn": arn}),
        (sagemaker.query_lineage, {"StartArns": [gone]}),
    ):
        assert refusal(call, **asked)[0] == "ResourceNotFound", call
    assert refusal(sagemaker.delete_artifact)[0] == "ValidationException"


def test_entities_are_listed_by_source_and_type_in_pages(lineage: Lineage) -> None:
    type_, uri = new_name("type"), f"s3://b/{new_name('listed')}"
    made = [lineage.action(ActionType=type_) for _ in range(3)]
    pages = lineage.sagemaker.get_paginator("list_actions")
    found = pages.paginate(ActionType=type_, SortOrder="Ascending", PaginationConfig={"PageSize": 2})
    assert [each["ActionArn"] for page in found for each in page["ActionSummaries"]] == made
    artifact = lineage.artifact(uri, ArtifactName="n")
    (summary,) = lineage.sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    assert (summary["ArtifactArn"], summary["ArtifactName"]) == (artifact, "n")
    assert lineage.sagemaker.list_contexts(ContextType=type_)["ContextSummaries"] == []


def test_associations_are_listed_by_either_end_and_hold_their_entities(lineage: Lineage) -> None:
    data, run, model = lineage.artifact(), lineage.action(), lineage.artifact(ArtifactName="model")
    lineage.join(data, run)
    lineage.join(run, model, "Produced")
    listed = lineage.sagemaker.list_associations
    (into,) = listed(DestinationArn=run)["AssociationSummaries"]
    assert (into["SourceArn"], into["SourceType"], into["AssociationType"]) == (
        data,
        "DataSet",
        "ContributedTo",
    )
    (out,) = listed(SourceArn=run, AssociationType="Produced")["AssociationSummaries"]
    assert (out["DestinationArn"], out["DestinationName"]) == (model, "model")
    assert listed(SourceArn=model)["AssociationSummaries"] == []
    code, message = refusal(lineage.join, source=data, destination=run)
    assert code == "ValidationException" and message.endswith("already exists.")
    name = run.rpartition("/")[2]
    assert refusal(lineage.sagemaker.delete_action, ActionName=name)[0] == "ValidationException"
    for source, destination in ((data, run), (run, model)):
        lineage.sagemaker.delete_association(SourceArn=source, DestinationArn=destination)
    assert lineage.sagemaker.delete_action(ActionName=name)["ActionArn"] == run


def test_a_query_walks_both_ways_as_far_as_it_is_told(lineage: Lineage) -> None:
    raw, clean, model = lineage.artifact(), lineage.artifact(), lineage.artifact(ArtifactType="Model")
    run, project = lineage.action(), lineage.context()
    for source, destination in ((raw, clean), (clean, run), (run, model), (model, project)):
        lineage.join(source, destination)

    def reached(**asked: Any) -> list[str]:
        return [each["Arn"] for each in lineage.sagemaker.query_lineage(StartArns=[run], **asked)["Vertices"]]

    assert reached(Direction="Descendants") == [model, project]
    assert reached(Direction="Ascendants") == [clean, raw]
    assert set(reached(Direction="Both")) == {model, project, clean, raw}
    assert reached(Direction="Descendants", MaxDepth=1) == [model]
    assert reached(Direction="Both", Filters={"Types": ["Model"]}) == [model]
    assert reached(Direction="Both", Filters={"LineageTypes": ["Context"]}) == [project]
    answer = lineage.sagemaker.query_lineage(StartArns=[run], Direction="Ascendants", IncludeEdges=True)
    assert [(each["SourceArn"], each["DestinationArn"]) for each in answer["Edges"]] == [
        (clean, run),
        (raw, clean),
    ]
    assert "Edges" not in lineage.sagemaker.query_lineage(StartArns=[run], IncludeEdges=False)
    first = lineage.sagemaker.query_lineage(StartArns=[run], Direction="Both", MaxResults=3)
    rest = lineage.sagemaker.query_lineage(
        StartArns=[run], Direction="Both", MaxResults=3, NextToken=first["NextToken"]
    )
    assert (len(first["Vertices"]), len(rest["Vertices"]), "NextToken" in rest) == (3, 1, False)


def test_both_ends_of_an_association_are_authorised(lineage: Lineage) -> None:
    data, run = lineage.artifact(), lineage.action()
    half = lineage.server.client("sagemaker", allowing("sagemaker:AddAssociation", resource=run))
    code, message = refusal(half.add_association, SourceArn=run, DestinationArn=data)
    assert code == "AccessDeniedException" and f"on resource: {data}" in message
    code, message = refusal(half.add_association, SourceArn=data, DestinationArn=run)
    assert code == "AccessDeniedException" and f"on resource: {data}" in message


def test_a_context_is_described_by_its_arn_and_deleted(lineage: Lineage) -> None:
    name = new_name("project")
    arn = lineage.context(ContextName=name, Description="d")
    assert lineage.sagemaker.describe_context(ContextName=arn)["Description"] == "d"
    assert lineage.sagemaker.delete_context(ContextName=name)["ContextArn"] == arn
    assert refusal(lineage.sagemaker.describe_context, ContextName=name)[0] == "ResourceNotFound"


def test_jobs_have_left_no_trial_components(lineage: Lineage) -> None:
    """The SDK's visualizer asks for those of a job, and shows an empty table."""
    job = f"arn:aws:sagemaker:us-east-1:{lineage.server.account}:processing-job/j"
    listed = lineage.sagemaker.list_trial_components
    assert listed(SourceArn=job)["TrialComponentSummaries"] == []
    assert refusal(listed, ExperimentName="none")[0] == "ResourceNotFound"
