"""The way through a flow: what is asked for after what was heard."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ivr.definition import Flow, read
from telephony.ivr.machine import MOST_STEPS, Step, begin, proceed
from tests.telephony.ivr.test_definition import QUEUE, WHOLE, flow

MONDAY = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 10, 0, tzinfo=UTC)
END = {"type": "hangup"}


def walk(flow: Flow, results: Iterable[dict[str, Any]], now: datetime = MONDAY) -> Step:
    step = begin(flow, now=now)
    for result in results:
        step = proceed(flow, step.where, result, now=now)
    return step


def asked(step: Step) -> list[str]:
    return [do.action for do in step.todo]


def menu(**changes: Any) -> Flow:
    node = {"type": "menu", "prompt": {"say": "Press 1."}, "choices": {"1": "one"}, "tries": 3, **changes}
    return read(flow(menu=node, one={"type": "queue", "queue": QUEUE}, late=END, wrong={"type": "say", "text": "No."}))


EDGES = {"on_timeout": "late", "on_invalid": "wrong"}


def test_a_choice_leads_on():
    step = walk(menu(**EDGES), [{"digits": "1"}])

    assert (step.where.node, asked(step), step.outcome) == ("one", ["enqueue"], "")
    assert step.todo[0].params == {"queue": QUEUE, "skills": []}


def test_silence_and_wrong_keys_are_counted_apart():
    step = walk(menu(**EDGES), [{"digits": ""}, {"digits": "9"}])

    assert (step.where.timeouts, step.where.invalid_entries, step.where.tries) == (1, 1, 2)
    assert asked(step) == ["gather"]


def test_after_the_last_try_the_last_mistake_says_where_to():
    assert walk(menu(**EDGES), [{"digits": "9"}, {"digits": "9"}, {"digits": ""}]).where.node == "late"
    assert walk(menu(**EDGES), [{"digits": ""}, {"digits": ""}, {"digits": "9"}]).where.node == "wrong"


def test_a_mistake_without_an_edge_ends_the_call():
    alone = read(flow(menu={"type": "menu", "prompt": {"say": "?"}, "choices": {"1": "menu"}, "tries": 1}))

    step = walk(alone, [{}])

    assert (asked(step), step.outcome) == (["hangup"], "ended")


def test_the_second_question_may_be_another():
    prompts = {"timeout_prompt": {"say": "Are you there?"}, "invalid_prompt": {"play": "https://x.example/no.wav"}}
    flow_ = menu(**EDGES, **prompts)

    assert walk(flow_, [{"digits": ""}]).todo[0].params["text"] == "Are you there?"
    assert walk(flow_, [{"digits": "9"}]).todo[0].params["url"] == "https://x.example/no.wav"


def test_digits_are_kept_and_told_to_the_server():
    step = walk(read(WHOLE), [{"digits": "2"}, {"digits": "12345"}])

    assert step.todo[0].action == "http"
    assert step.todo[0].params == {"url": "https://crm.example.com/ivr", "entered": {"account": "12345"}}


@pytest.mark.parametrize(
    ("answer", "node"),
    [
        ({"choice": "vip"}, "queue"),
        ({"choice": "x"}, "queue"),
        ({"choice": ["vip"]}, "queue"),
        ({"error": "timeout"}, "sorry"),
    ],
)
def test_the_servers_answer_picks_the_way(answer: dict[str, Any], node: str):
    assert walk(read(WHOLE), [{"digits": "2"}, {"digits": "1"}, answer]).where.node == node


def test_the_hours_are_asked_without_the_caller_noticing():
    assert asked(walk(read(WHOLE), [])) == ["gather"]
    closed = walk(read(WHOLE), [], SUNDAY)
    assert (closed.where.node, asked(closed)) == ("voicemail", ["say", "record"])


def test_a_message_left_ends_the_call():
    step = walk(read(WHOLE), [{"seconds": 12}], SUNDAY)

    assert (asked(step), step.outcome) == (["hangup"], "voicemail")


def test_who_was_answered_leaves_the_flow_and_the_call_lives():
    transferred = walk(read(WHOLE), [{}, {}, {}, {"answered": True}])
    assert (transferred.where.node, transferred.todo, transferred.outcome) == ("transfer", (), "transferred")
    queued = walk(read(WHOLE), [{"digits": "1"}, {"connected": True}])
    assert (queued.todo, queued.outcome) == ((), "connected")


def test_whom_nobody_answered_goes_on():
    assert asked(walk(read(WHOLE), [{}, {}, {}, {"answered": False}])) == ["play"]
    assert walk(read(WHOLE), [{"digits": "1"}, {"connected": False}]).where.node == "voicemail"


def test_a_hash_that_is_a_choice_does_not_finish():
    hash_ends = begin(menu(**EDGES), now=MONDAY)
    hash_chooses = begin(menu(**EDGES, choices={"#": "one"}), now=MONDAY)

    assert [step.todo[0].params["finish_key"] for step in (hash_ends, hash_chooses)] == ["#", None]


def test_a_machine_that_presses_keys_for_ever_is_shown_out():
    step = walk(
        read(flow(menu={"type": "menu", "prompt": {"say": "?"}, "choices": {"1": "menu"}})),
        [{"digits": "1"}] * MOST_STEPS,
    )

    assert (asked(step), step.outcome) == (["hangup"], "too_long")


RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "digits": st.text("0123456789*#", max_size=6) | st.none(),
        "answered": st.booleans(),
        "connected": st.booleans(),
        "choice": st.text(max_size=5) | st.integers(),
        "error": st.text(max_size=5),
    },
)


@given(st.lists(RESULTS, max_size=60), st.sampled_from([MONDAY, SUNDAY]))
def test_whatever_is_heard_something_is_asked_for_or_it_is_over(results: list[dict[str, Any]], now: datetime):
    whole = read(WHOLE)
    step = begin(whole, now=now)
    for result in results:
        assert step.todo or step.outcome
        if step.outcome:
            break
        before = step.where
        step = proceed(whole, before, result, now=now)
        assert step.where.timeouts + step.where.invalid_entries - before.timeouts - before.invalid_entries in {0, 1}
