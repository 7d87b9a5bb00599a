"""What a server can do besides replying: hold to a schema, continue a prefill, keep thoughts apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.protocol.commands import StartRun
from engine.protocol.events import RunStarted
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.servers.carry_out import FREE_TEXT, SCHEMA_TEXT, carry_out, folder_of, is_of, records_of, spec_of
from tests.servers.faulty import Fault, FaultyServer


def test_where_no_form_holds_the_free_arm_runs_and_the_other_says_why(tmp_path: Path, server: FaultyServer) -> None:
    def fault(body: dict[str, Any], number: int) -> Fault | None:
        if "structured_outputs" in body:
            return Fault("status", 422, message="Unexpected fields")
        body.pop("response_format", None)  # ignored, as some do
        return None

    server.fault = fault
    events = carry_out(spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(2))), tmp_path)
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.constrained_error is not None
    assert "json_schema: the server took it and ignored it" in started.constrained_error
    assert "structured_outputs: the server answered 422: Unexpected fields" in started.constrained_error
    record = records_of(started.folder)["c1"]
    assert record.free.text == FREE_TEXT
    assert record.constrained.error == started.constrained_error


PREFILL = '[[prompt]]\nname = "begun"\nuser = "{input}"\nprefill = "{"\n'


def test_a_prefill_is_continued_if_the_server_can(tmp_path: Path, server: FaultyServer) -> None:
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1), prompts=PREFILL)), tmp_path
    )
    record = records_of(folder_of(events))["c0"]
    assert record.free.text == "{" + FREE_TEXT
    assert record.free.ends[0] == 5
    assert record.constrained.error is not None
    assert "prefill" in record.constrained.error
    (asked,) = (
        each.body for each in server.asked if each.body.get("stream") and each.body.get("continue_final_message")
    )
    assert asked["messages"][-1] == {"role": "assistant", "content": "{"}


def test_a_prefill_that_is_ignored_is_no_reply(tmp_path: Path, server: FaultyServer) -> None:
    def fault(body: dict[str, Any], number: int) -> Fault | None:
        body.pop("continue_final_message", None)
        return None

    server.fault = fault
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1), prompts=PREFILL)), tmp_path
    )
    record = records_of(folder_of(events))["c0"]
    assert record.free.error == record.constrained.error
    assert record.free.error is not None
    assert "does not continue a reply that is begun for it" in record.free.error


THINKING = """
[[prompt]]
name = "thinks"
user = "{input}"
think = { close = "</think>", budget = 16 }
"""


def test_thoughts_that_the_server_keeps_apart_stand_before_the_reply(tmp_path: Path, server: FaultyServer) -> None:
    server.thoughts = "A name and an age."
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1), prompts=THINKING)), tmp_path
    )
    record = records_of(folder_of(events))["c0"]
    assert record.free.text == f"A name and an age.</think>{FREE_TEXT}"
    assert record.constrained.text == f"A name and an age.</think>{SCHEMA_TEXT}"
    assert record.constrained.verdict is not None
    assert record.constrained.verdict.strict, "only what follows the thoughts is judged"
    (free,) = (each.body for each in server.asked if is_of(each.body, 0, constrained=False) and "seed" in each.body)
    assert (free["thinking_token_budget"], free["max_tokens"]) == (16, 24 + 16)


def test_a_server_that_does_not_keep_thoughts_apart_cannot_constrain_what_follows(
    tmp_path: Path, server: FaultyServer
) -> None:
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1), prompts=THINKING)), tmp_path
    )
    record = records_of(folder_of(events))["c0"]
    assert record.free.text == FREE_TEXT
    assert record.constrained.error is not None
    assert "does not keep thoughts apart" in record.constrained.error


TEMPLATED = """
[[prompt]]
name = "quiet"
user = "{input}"
chat_template_kwargs = { enable_thinking = false }
"""


def test_variables_of_the_template_are_sent_and_it_is_said_that_their_effect_is_unknown(
    tmp_path: Path, server: FaultyServer
) -> None:
    events = carry_out(
        spec_of(server), StartRun(write_suite(tmp_path, cases=numbered_cases(1), prompts=TEMPLATED)), tmp_path
    )
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert any("Whether the server uses chat_template_kwargs is not known" in remark for remark in started.remarks)
    sent = [each.body for each in server.asked if is_of(each.body, 0) and "seed" in each.body]
    assert [body["chat_template_kwargs"] for body in sent] == [{"enable_thinking": False}] * 2
