"""Where two arms fork, and what is known about it; where the texts of tokens end."""

from __future__ import annotations

import pytest

from engine.records import UNKNOWN_ID, Candidate, Fork
from engine.servers.forks import ForkFinder
from engine.servers.streams import Chunk, PartialReply, ReportedToken


def reported(token: str, p: float, others: dict[str, float] | None = None, id: int = UNKNOWN_ID) -> ReportedToken:
    return ReportedToken(
        Candidate(token, id, p), tuple(Candidate(text, UNKNOWN_ID, each) for text, each in (others or {}).items())
    )


def reply(*tokens: ReportedToken, finish: str | None = None, prefill: str = "") -> PartialReply:
    growing = PartialReply(prefill, len(prefill))
    for token in tokens:
        growing.add(Chunk(token.taken.token, tokens=(token,)))
    growing.finish = finish
    return growing


def test_under_the_mask_the_ratio_of_both_weights_is_the_mass_that_was_allowed() -> None:
    same = reported("{", 0.5)
    free = reply(same, reported("'", 0.6, {'"': 0.03, " ": 0.01}, id=5))
    constrained = reply(same, reported('"', 0.75, {" ": 0.25}, id=7))
    fork = ForkFinder("masked").find(free, constrained)
    assert fork is not None
    assert (fork.token, fork.char) == (1, 1)
    assert fork.allowed_mass == pytest.approx(0.04)
    assert [(each.token, each.id, each.p) for each in fork.allowed] == [
        ('"', 7, pytest.approx(0.03)),
        (" ", UNKNOWN_ID, pytest.approx(0.01)),
    ]
    assert fork.wanted[0] == Candidate("'", 5, 0.6)
    assert fork.wanted[1] == Candidate('"', 7, 0.03), "the same token has the same id in both lists"


def test_under_the_mask_nothing_is_made_up_if_no_token_is_reported_by_both_arms() -> None:
    fork = ForkFinder("masked").find(reply(reported("Bob", 0.4)), reply(reported("{", 0.9)))
    assert fork is not None
    assert fork.allowed_mass is None
    assert [each.p for each in fork.allowed] == [None]


def test_without_the_mask_the_model_s_own_weight_is_known_and_the_mass_is_not() -> None:
    fork = ForkFinder("unmasked").find(reply(reported("Bob", 0.4)), reply(reported("{", 0.0001)))
    assert fork == Fork(0, 0, (Candidate("Bob", UNKNOWN_ID, 0.4),), (Candidate("{", UNKNOWN_ID, 0.0001),), None)


def test_a_fork_is_found_when_both_have_come_to_it_and_not_before() -> None:
    finder, same = ForkFinder("unmasked"), [reported("a", 0.9), reported("b", 0.9)]
    assert finder.find(reply(*same), reply(same[0])) is None
    assert finder.find(reply(*same), reply(*same)) is None
    fork = finder.find(reply(*same, reported("c", 0.5), prefill=""), reply(*same, reported("d", 0.5)))
    assert fork is not None
    assert (fork.token, fork.char) == (2, 2)


def test_a_reply_that_ends_where_the_other_continues_forks_there() -> None:
    free, constrained = reply(reported("{}", 0.9), finish="stop"), reply(reported("{}", 0.9), reported("\n", 0.2))
    fork = ForkFinder("unmasked").find(free, constrained)
    assert fork is not None
    assert (fork.token, fork.char, fork.wanted) == (1, 2, (Candidate("", UNKNOWN_ID, None),))
    both = reply(reported("{}", 0.9), finish="stop")
    assert ForkFinder("unmasked").find(both, both) is None
    cut = reply(reported("{}", 0.9), finish="length")
    assert ForkFinder("unmasked").find(cut, constrained) is None, "what would have come is not known"


@pytest.mark.parametrize(
    ("free", "constrained", "finish", "char"),
    [("abc", "abd", None, 2), ("ab", "abd", None, None), ("ab", "abd", "stop", 2), ("ab", "ab", "stop", None)],
)
def test_without_tokens_it_is_the_first_character(
    free: str, constrained: str, finish: str | None, char: int | None
) -> None:
    one, other = PartialReply("", 0), PartialReply("", 0)
    one.add(Chunk(free, finish=finish))
    other.add(Chunk(constrained))
    fork = ForkFinder("none").find(one, other)
    assert fork == (None if char is None else Fork(None, char, (), (), None))


def test_texts_of_tokens_end_where_they_do_though_several_come_at_once_and_some_are_parts_of_a_character() -> None:
    growing = PartialReply("{", 1)
    growing.add(Chunk('"n', tokens=(reported('"', 1), reported("n", 1))))
    growing.add(Chunk("", tokens=(reported("", 1),)))  # the first bytes of a character
    growing.add(Chunk("é!", tokens=(reported("é", 1), reported("!", 1))))
    growing.add(Chunk("", tokens=(reported("<|im_end|>", 1),), finish="stop"))
    assert growing.ends == [2, 3, 3, 4, 5, 5]
    assert growing.stop_token is not None
    assert [token.taken.token for token in growing.content_tokens] == ['"', "n", "", "é", "!"]
