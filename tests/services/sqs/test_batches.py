"""The rules that the three batch operations share."""

import pytest

from passrole.faults import Fault
from passrole.services.sqs.batches import check_entries, each


@pytest.mark.parametrize(
    "ids, code, message",
    [
        ([], "EmptyBatchRequest", "There should be at least one Entry in the request."),
        (
            [str(number) for number in range(11)],
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (["a", "b", "a"], "BatchEntryIdsNotDistinct", "Id a repeated."),
        *[
            (
                [bad],
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
                " It can be at most 80 letters long.",
            )
            for bad in ("", "a:b", "x" * 81, "ä")
        ],
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(ids: list[str], code: str, message: str) -> None:
    with pytest.raises(Fault) as caught:
        check_entries([{"Id": id_} for id_ in ids], "Entry")
    assert (caught.value.code, caught.value.message) == (code, message)


def test_an_entry_fails_alone() -> None:
    def act(entry: dict[str, str]) -> dict[str, str]:
        if entry["Id"] == "bad":
            raise Fault("Wrong", "It is wrong.")
        return {"Told": entry["Id"].upper()}

    assert each([{"Id": "bad"}, {"Id": "good"}], act) == {
        "Successful": [{"Id": "good", "Told": "GOOD"}],
        "Failed": [{"Id": "bad", "SenderFault": True, "Code": "Wrong", "Message": "It is wrong."}],
    }


def test_what_did_not_happen_is_not_told() -> None:
    assert each([{"Id": "a"}], lambda _entry: {}) == {"Successful": [{"Id": "a"}]}
