from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInputError
from engine.training.split import split_cases

CASES = [f"c{number}" for number in range(10)]


def test_the_split_is_the_same_everywhere_and_always() -> None:
    assert sorted(split_cases(CASES, 0.3).test) == ["c3", "c6", "c9"]
    assert split_cases(reversed(CASES * 2), 0.3) == split_cases(CASES, 0.3)


@given(st.sets(st.text(max_size=8), min_size=2, max_size=60), st.floats(min_value=0.001, max_value=0.999))
def test_each_case_is_on_one_side_and_the_test_has_its_share(cases: set[str], share: float) -> None:
    split = split_cases(cases, share)
    assert split.train | split.test == cases
    assert not split.train & split.test
    assert 1 <= len(split.test) < len(cases)
    assert abs(len(split.test) - share * len(cases)) <= 1


def test_a_larger_share_keeps_what_a_smaller_one_kept_back() -> None:
    assert split_cases(CASES, 0.2).test < split_cases(CASES, 0.6).test


def test_without_a_share_all_is_for_training() -> None:
    assert split_cases(["one"], 0).train == {"one"}
    with pytest.raises(BadInputError, match="one case only"):
        split_cases(["one", "one"], 0.2)
