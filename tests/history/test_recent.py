from passrole.history.recent import Recent


def test_the_one_that_was_not_used_for_longest_goes_first() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_a_value_put_again_takes_no_second_place() -> None:
    recent: Recent[int] = Recent(2)
    for value in range(3):
        recent.put("a", value)
    recent.put("b", 9)
    assert (recent.get("a"), recent.get("b")) == (2, 9)


def test_what_is_dropped_is_gone() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.drop("a")
    recent.drop("never there")
    assert recent.get("a") is None
