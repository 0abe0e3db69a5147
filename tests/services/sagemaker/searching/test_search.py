"""Search through boto3: what is found of each type, in which order and pages, and who may ask."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal

DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "P", "Type": "String", "DefaultValue": "one"}],
        "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "bad"}}],
    }
)
EMPTY = ("Experiment", "ExperimentTrial", "ExperimentTrialComponent", "FeatureGroup", "Project", "ModelCard")


class Found:
    """Pipelines of one tag, and a search for them."""

    def __init__(self, server: Server, role: str) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")
        self.tag, self.role = new_name("tag"), role
        self.names = [self.pipeline(f"{self.tag}-{letter}", number) for number, letter in enumerate("bca")]

    def pipeline(self, name: str, number: int) -> str:
        tags = [{"Key": "run", "Value": self.tag}, {"Key": "number", "Value": str(number)}]
        self.sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=DEFINITION, RoleArn=self.role, Tags=tags
        )
        return name

    def ask(self, resource: str = "Pipeline", client: Any = None, **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (client or self.sagemaker).search(Resource=resource, **members)
        return answer

    def names_of(self, **members: Any) -> list[str]:
        answer = self.ask(SearchExpression={"Filters": [self.own]}, **members)
        return [each["Pipeline"]["PipelineName"] for each in answer["Results"]]

    @property
    def own(self) -> dict[str, str]:
        return {"Name": "Tags.run", "Operator": "Equals", "Value": self.tag}


@pytest.fixture(scope="module")
def found(server: Server, role: str) -> Found:
    return Found(server, role)


def equals(name: str, value: str) -> dict[str, Any]:
    return {"Filters": [{"Name": name, "Operator": "Equals", "Value": value}]}


# Search: shape


def test_a_pipeline_is_found_as_it_is_described(found: Found) -> None:
    name = found.names[0]
    answer = found.ask(SearchExpression=equals("PipelineName", name))
    (result,) = answer["Results"]
    described = found.sagemaker.describe_pipeline(PipelineName=name)
    pipeline = result["Pipeline"]
    tags = {each["Key"]: each["Value"] for each in pipeline.pop("Tags")}
    assert tags == {"run": found.tag, "number": "0"}
    assert pipeline == {member: described[member] for member in pipeline}
    assert {"PipelineArn", "RoleArn", "PipelineStatus", "CreatedBy", "LastModifiedTime"} <= pipeline.keys()
    assert answer["TotalHits"] == {"Value": 1, "Relation": "EqualTo"}
    assert "NextToken" not in answer


def test_executions_are_found_by_status_parameters_and_pipeline(found: Found) -> None:
    name = found.names[1]
    begun = [
        found.sagemaker.start_pipeline_execution(
            PipelineName=name, PipelineParameters=[{"Name": "P", "Value": value}]
        )["PipelineExecutionArn"]
        for value in ("one", "two")
    ]
    for each in begun:
        found.server.finished(each)
    arn = found.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    of_pipeline = {"Name": "PipelineArn", "Operator": "Equals", "Value": arn}
    failed = {"Name": "PipelineExecutionStatus", "Operator": "Equals", "Value": "Failed"}
    parameter = {
        "NestedPropertyName": "PipelineParameters",
        "Filters": [
            {"Name": "PipelineParameters.Name", "Value": "P"},
            {"Name": "PipelineParameters.Value", "Value": "two"},
        ],
    }
    both = found.ask("PipelineExecution", SearchExpression={"Filters": [of_pipeline, failed]})
    assert {each["PipelineExecution"]["PipelineExecutionArn"] for each in both["Results"]} == set(begun)
    (one,) = found.ask(
        "PipelineExecution", SearchExpression={"Filters": [of_pipeline], "NestedFilters": [parameter]}
    )["Results"]
    shown = one["PipelineExecution"]
    described = found.sagemaker.describe_pipeline_execution(PipelineExecutionArn=begun[1])
    assert shown.pop("PipelineParameters") == [{"Name": "P", "Value": "two"}]
    assert shown == {member: described[member] for member in shown}
    (version,) = found.ask("PipelineVersion", SearchExpression={"Filters": [of_pipeline]})["Results"]
    assert version["PipelineVersion"]["LastExecutedPipelineExecutionArn"] == begun[1]
    assert version["PipelineVersion"]["LastExecutedPipelineExecutionStatus"] == "Failed"


def test_groups_and_their_packages_are_found_with_the_tags_of_the_group(found: Found) -> None:
    group = new_name("group")
    tags = [{"Key": "run", "Value": group}]
    found.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=tags)
    for status in ("Approved", "PendingManualApproval"):
        found.sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus=status)
    # what the SDK's register() asks before it makes a group
    expression = {"Filters": [{"Name": "ModelPackageGroupName", "Value": group, "Operator": "Equals"}]}
    (one,) = found.ask("ModelPackageGroup", SearchExpression=expression)["Results"]
    assert one["ModelPackageGroup"]["Tags"] == tags
    approved = {
        "Filters": [
            {"Name": "Tags.run", "Value": group},
            {"Name": "ModelApprovalStatus", "Value": "Approved"},
        ]
    }
    (package,) = found.ask("ModelPackage", SearchExpression=approved)["Results"]
    assert package["ModelPackage"]["ModelPackageVersion"] == 1
    newest = {"Name": "ModelPackageVersion", "Operator": "GreaterThanOrEqualTo", "Value": "2"}
    (second,) = found.ask(
        "ModelPackage",
        SearchExpression={"Filters": [{"Name": "ModelPackageGroupName", "Value": group}, newest]},
    )["Results"]
    assert second["ModelPackage"]["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_model_is_found_below_its_record(found: Found) -> None:
    name = new_name("model")
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
    found.sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": image}, Tags=[{"Key": "run", "Value": name}]
    )
    for expression in (equals("Model.ModelName", name), equals("Model.Tags.run", name)):
        (one,) = found.ask("Model", SearchExpression=expression)["Results"]
        assert one["Model"]["Model"]["PrimaryContainer"] == {"Image": image}
    assert found.sagemaker.get_search_suggestions(
        Resource="Model", SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": "Model.Tags.ru"}}
    )["PropertyNameSuggestions"] == [{"PropertyName": "Model.Tags.run"}]


@pytest.mark.parametrize("resource", EMPTY)
def test_of_what_is_not_here_nothing_is_found(found: Found, resource: str) -> None:
    """As the SDK's experiments and analytics ask, by properties that only AWS knows."""
    answer = found.ask(resource, SearchExpression=equals("Parents.TrialName", "t"), SortBy="metrics.auc.max")
    assert answer["Results"] == []
    assert answer["TotalHits"]["Value"] == 0


def test_nobody_shares_resources_with_the_account(found: Found) -> None:
    assert found.ask(CrossAccountFilterOption="CrossAccount")["Results"] == []
    assert len(found.names_of(CrossAccountFilterOption="SameAccount")) == 3


# Search: order and pages


def test_results_are_newest_first_or_by_a_property(found: Found) -> None:
    b, c, a = found.names
    assert found.names_of(SortBy="CreationTime") == [a, c, b]
    assert found.names_of(SortBy="CreationTime", SortOrder="Ascending") == [b, c, a]
    assert found.names_of(SortBy="PipelineName", SortOrder="Ascending") == [a, b, c]
    assert found.names_of(SortBy="Tags.number", SortOrder="Descending") == [a, c, b]


def test_pages_follow_each_other_in_every_order(found: Found) -> None:
    def paged(**members: Any) -> Iterator[str]:
        token: dict[str, str] = {}
        while True:
            answer = found.ask(SearchExpression={"Filters": [found.own]}, MaxResults=1, **members, **token)
            assert answer["TotalHits"]["Value"] == 3
            yield from (each["Pipeline"]["PipelineName"] for each in answer["Results"])
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}

    for order in ("Ascending", "Descending"):
        # two have no LastRunTime, or all three: they are told apart by their ARNs
        for sort_by in ("PipelineName", "CreationTime", "LastRunTime", "Tags.number", "PipelineDescription"):
            members = {"SortBy": sort_by, "SortOrder": order}
            assert list(paged(**members)) == found.names_of(**members)
    expected = found.names_of()
    pages = found.sagemaker.get_paginator("search").paginate(
        Resource="Pipeline", SearchExpression={"Filters": [found.own]}, PaginationConfig={"PageSize": 2}
    )
    assert [each["Pipeline"]["PipelineName"] for page in pages for each in page["Results"]] == expected


def test_visibility_conditions_leave_out_what_has_another_value(found: Found) -> None:
    visible = [{"Key": "Tags.number", "Value": "1"}, {"Key": "Tags.none", "Value": "x"}]
    assert found.names_of(VisibilityConditions=visible) == [found.names[1]]
    assert found.ask("PipelineExecution", VisibilityConditions=visible)["Results"]


# Search: refusals


def test_what_cannot_be_searched_for_is_refused(found: Found) -> None:
    def told(**members: Any) -> str:
        code, message = refusal(found.ask, **members)
        assert code == "ValidationException"
        return message

    assert told(SearchExpression=equals("Nothing", "x")) == (
        "Unknown property name: Nothing. A Pipeline has no such property."
    )
    assert told(SearchExpression={}).startswith("A SearchExpression needs at least one filter")
    assert told(SortBy="Nothing").startswith("Unknown property name: Nothing.")
    assert told(SortBy="CreatedBy") == "Results cannot be sorted by CreatedBy, which is no single value."
    assert told(NextToken="x") == "The NextToken is not valid."
    assert told(VisibilityConditions=[{"Key": "team", "Value": "x"}]) == (
        "A key of VisibilityConditions begins with Tags., not: team"
    )
    assert "at 'resource' failed to satisfy constraint" in told(resource="Nothing")


def test_a_token_of_another_order_is_refused(found: Found) -> None:
    members: dict[str, Any] = {"SearchExpression": {"Filters": [found.own]}, "MaxResults": 1}
    token = found.ask(SortBy="PipelineName", **members)["NextToken"]
    assert refusal(found.ask, SortBy="CreationTime", NextToken=token, **members)[0] == "ValidationException"


# Search: who may


def test_who_may_search(found: Found, server: Server) -> None:
    may = server.client("sagemaker", user_policy=allowing("sagemaker:Search"))
    assert found.ask(client=may, SearchExpression={"Filters": [found.own]})["TotalHits"]["Value"] == 3
    code, message = refusal(may.get_search_suggestions, Resource="Pipeline")
    assert code == "AccessDeniedException"
    assert "sagemaker:GetSearchSuggestions" in message
    others = server.client(
        "sagemaker", user_policy=allowing("sagemaker:List*", "sagemaker:Describe*", "sagemaker:GetSearch*")
    )
    code, message = refusal(found.ask, client=others)
    assert code == "AccessDeniedException"
    assert "sagemaker:Search on resource: *" in message
    on_pipelines = allowing("sagemaker:Search", resource="arn:aws:sagemaker:*:*:pipeline/*")
    assert refusal(found.ask, client=server.client("sagemaker", user_policy=on_pipelines))[0] == code


def test_a_policy_demands_a_visibility_condition(found: Found, server: Server) -> None:
    """As the guide writes it for domains of Studio."""
    key = "sagemaker:SearchVisibilityCondition/Tags.number/EqualsIfExists"
    policy = allowing("sagemaker:Search", Condition={"StringEquals": {key: "1"}})
    client = server.client("sagemaker", user_policy=policy)
    members = {"client": client, "SearchExpression": {"Filters": [found.own]}}
    visible = [{"Key": "Tags.number", "Value": "1"}]
    (one,) = found.ask(**members, VisibilityConditions=visible)["Results"]
    assert one["Pipeline"]["PipelineName"] == found.names[1]
    assert refusal(found.ask, **members)[0] == "AccessDeniedException"
    other = [{"Key": "Tags.number", "Value": "2"}]
    assert refusal(found.ask, **members, VisibilityConditions=other)[0] == "AccessDeniedException"


# GetSearchSuggestions


def test_names_of_tags_are_suggested(found: Found) -> None:
    def suggested(hint: str) -> list[str]:
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        answer = found.sagemaker.get_search_suggestions(Resource="Pipeline", SuggestionQuery=query)
        return [each["PropertyName"] for each in answer["PropertyNameSuggestions"]]

    assert suggested("Tags.num") == ["Tags.number"]
    assert {"Tags.number", "Tags.run"} <= set(suggested("Tags"))
    assert suggested("Metrics") == []
