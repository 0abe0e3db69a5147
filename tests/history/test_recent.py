from passrole.history.recent import Recent, Shared


def test_the_one_that_was_not_used_for_longest_goes_first() -> None:
    recent: Recent[int] = Recent(20)
    recent.put("a", 1, 10)
    recent.put("b", 2, 10)
    assert recent.get("a") == 1
    assert recent.put("c", 3, 10) == [("b", 2)]
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_a_value_put_again_takes_no_second_place() -> None:
    recent: Recent[int] = Recent(20)
    for value in range(3):
        recent.put("a", value, 10)
    recent.put("b", 9, 10)
    assert (recent.get("a"), recent.get("b")) == (2, 9)
    assert recent.bytes == 20


def test_what_is_dropped_is_gone() -> None:
    recent: Recent[int] = Recent(20)
    recent.put("a", 1, 10)
    recent.drop("a")
    recent.drop("never there")
    assert recent.get("a") is None
    assert recent.bytes == 0


def test_a_large_value_takes_the_place_of_many_and_stays_however_large_it_is() -> None:
    recent: Recent[int] = Recent(20)
    recent.put("a", 1, 5)
    recent.put("b", 2, 5)
    assert recent.put("large", 3, 100) == [("a", 1), ("b", 2)]
    assert recent.get("large") == 3
    assert recent.put("c", 4, 5) == [("large", 3)]


def test_what_values_share_is_counted_once_and_goes_with_the_last_of_them() -> None:
    recent: Recent[int] = Recent(1_000)
    for number, key in enumerate("abc"):
        recent.put(key, number, 1, Shared("pipeline", 100))
    assert recent.bytes == 103
    recent.drop("a")
    recent.put("b", 5, 1)
    assert recent.bytes == 102
    recent.drop("c")
    assert recent.bytes == 1
