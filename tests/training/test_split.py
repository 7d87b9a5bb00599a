from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import BadInputError
from engine.training.split import Split, split_cases

CASES = [f"c{number}" for number in range(10)]


def split(cases: Iterable[str], share: float) -> Split:
    """The split of cases whose inputs are their ids."""
    return split_cases({case: case for case in cases}, share)


def test_the_split_is_the_same_everywhere_and_always() -> None:
    assert sorted(split(CASES, 0.3).test) == ["c3", "c6", "c9"]
    assert split(reversed(CASES), 0.3) == split(CASES, 0.3)


@given(st.sets(st.text(max_size=8), min_size=2, max_size=60), st.floats(min_value=0.001, max_value=0.999))
def test_each_case_is_on_one_side_and_the_test_has_its_share(cases: set[str], share: float) -> None:
    found = split(cases, share)
    assert found.train | found.test == cases
    assert not found.train & found.test
    assert 1 <= len(found.test) < len(cases)
    assert abs(len(found.test) - share * len(cases)) <= 1


@given(st.dictionaries(st.text(max_size=4), st.sampled_from("abcdef"), min_size=2, max_size=20), st.floats(0.1, 0.9))
def test_cases_with_the_same_input_are_on_one_side(inputs: dict[str, str], share: float) -> None:
    assume(len(set(inputs.values())) > 1)
    found = split_cases(inputs, share)
    assert not {inputs[case] for case in found.train} & {inputs[case] for case in found.test}
    assert found.train | found.test == inputs.keys()
    assert found.train
    assert found.test


def test_a_larger_share_keeps_what_a_smaller_one_kept_back() -> None:
    assert split(CASES, 0.2).test < split(CASES, 0.6).test


def test_without_a_share_all_is_for_training() -> None:
    assert split(["one"], 0).train == {"one"}
    with pytest.raises(BadInputError, match="one case only"):
        split_cases({"one": "the same", "two": "the same"}, 0.2)
