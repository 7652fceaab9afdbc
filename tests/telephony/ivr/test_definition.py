"""What is a flow, and what every mistake in one is called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Invalid
from telephony.ivr.definition import problems, read, urls

SAY = {"type": "say", "text": "Hello"}
MENU = {"type": "menu", "prompt": {"say": "Press 1."}, "choices": {"1": "bye"}}
QUEUE = "qu_" + "0" * 32


def flow(**nodes: Any) -> dict[str, Any]:
    return {"start": next(iter(nodes)), "nodes": nodes}


def found(definition: Any) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.code) for problem in problems(definition)]


WHOLE = flow(
    hours={
        "type": "hours",
        "hours": {"mon": [["09:00", "17:00"]]},
        "timezone": "Europe/Berlin",
        "open": "menu",
        "closed": "voicemail",
    },
    menu={
        "type": "menu",
        "prompt": {"say": "Press 1 for sales, 2 for your account."},
        "choices": {"1": "queue", "2": "account", "0": "menu"},
        "invalid_prompt": {"play": "https://sounds.example.com/wrong.wav"},
        "on_timeout": "transfer",
    },
    account={"type": "gather", "prompt": {"say": "Your number?"}, "variable": "account", "next": "lookup"},
    lookup={
        "type": "http",
        "url": "https://crm.example.com/ivr",
        "choices": {"vip": "queue"},
        "next": "queue",
        "on_error": "sorry",
    },
    sorry={"type": "say", "text": "Sorry.", "next": "note"},
    note={"type": "record", "max_seconds": 30, "next": "bye"},
    queue={"type": "queue", "queue": QUEUE, "next": "voicemail"},
    transfer={"type": "transfer", "to": "+15550100200", "next": "music"},
    music={"type": "play", "url": "https://sounds.example.com/music.wav", "next": "voicemail"},
    voicemail={"type": "voicemail", "prompt": {"say": "Leave a message."}},
    bye={"type": "hangup"},
)


def test_a_whole_flow_has_no_problem():
    assert problems(WHOLE) == []
    assert read(WHOLE).start == "hours"
    assert dict(urls(read(WHOLE))) == {
        "/nodes/menu/invalid_prompt/play": "https://sounds.example.com/wrong.wav",
        "/nodes/lookup/url": "https://crm.example.com/ivr",
        "/nodes/music/url": "https://sounds.example.com/music.wav",
    }


def test_a_menu_may_be_heard_again_by_a_key():
    assert problems(flow(menu={**MENU, "choices": {"1": "menu"}})) == []


MISTAKES = [
    ([], "/", "invalid"),
    ({"start": "a"}, "/nodes", "invalid"),
    ({"start": "a", "nodes": {}}, "/nodes", "invalid"),
    ({"start": "b", "nodes": {"a": SAY}}, "/start", "no-such-node"),
    ({"start": "a", "nodes": {"a": SAY}, "more": 1}, "/more", "unknown"),
    ({"start": "a/b", "nodes": {"a/b": SAY}}, "/nodes/a~1b", "invalid"),
    (flow(a={"type": "say"}), "/nodes/a", "invalid"),
    (flow(a={"type": "sing"}), "/nodes/a/type", "invalid"),
    (flow(a={**SAY, "text": ""}), "/nodes/a/text", "invalid"),
    (flow(a={**SAY, "loud": True}), "/nodes/a", "invalid"),
    (flow(a=7), "/nodes/a", "invalid"),
    (flow(a={**SAY, "next": "b"}), "/nodes/a/next", "no-such-node"),
    (flow(a={**MENU, "choices": {"1": "b"}}), "/nodes/a/choices/1", "no-such-node"),
    (flow(a={**MENU, "choices": {"x": "a"}}), "/nodes/a/choices", "invalid"),
    (flow(a={**MENU, "prompt": {}}), "/nodes/a/prompt", "invalid"),
    (flow(a={**MENU, "prompt": {"say": "x", "play": "https://x.example/"}}), "/nodes/a/prompt", "invalid"),
    (flow(a={**MENU, "tries": 0}), "/nodes/a/tries", "invalid"),
    (flow(a={"type": "transfer"}), "/nodes/a", "invalid"),
    (flow(a={"type": "transfer", "to": "911"}), "/nodes/a/to", "invalid"),
    (flow(a={"type": "queue", "queue": "support"}), "/nodes/a/queue", "invalid"),
    (flow(a={"type": "hours", "hours": {"xxx": []}, "timezone": "UTC"}), "/nodes/a/hours/xxx", "unknown-day"),
    (flow(a={"type": "hours", "hours": {}, "timezone": "Moon/Sea"}), "/nodes/a/timezone", "unknown"),
    (
        flow(
            a={
                "type": "gather",
                "prompt": {"say": "x"},
                "variable": "v",
                "next": "a",
                "min_digits": 5,
                "max_digits": 4,
            }
        ),
        "/nodes/a/min_digits",
        "invalid",
    ),
    (flow(a=SAY, b=SAY), "/nodes/b", "unreachable"),
    (flow(a={**SAY, "next": "a"}), "/nodes/a", "endless"),
    (flow(a={**MENU, "choices": {"1": "a"}, "on_timeout": "a"}), "/nodes/a", "endless"),
    (flow(a={"type": "queue", "queue": QUEUE, "next": "a"}), "/nodes/a", "endless"),
    (flow(a={"type": "http", "url": "https://x.example/", "choices": {"again": "a"}}), "/nodes/a", "endless"),
]


@pytest.mark.parametrize(("definition", "pointer", "code"), MISTAKES)
def test_a_mistake_is_pointed_at(definition: Any, pointer: str, code: str):
    assert found(definition) == [(pointer, code)]
    with pytest.raises(Invalid):
        read(definition)


def test_every_mistake_is_told_at_once():
    definition = flow(a={**SAY, "text": 1}, b={"type": "nope"}, c={**SAY, "next": 7})

    assert [pointer for pointer, _ in found(definition)] == ["/nodes/a/text", "/nodes/b/type", "/nodes/c/next"]


def test_only_those_who_go_round_are_called_endless():
    definition = flow(
        a={**SAY, "next": "b"}, b={**SAY, "next": "c"}, c={"type": "transfer", "extension": "10", "next": "b"}
    )

    assert found(definition) == [("/nodes/b", "endless"), ("/nodes/c", "endless")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


@given(JSON)
def test_no_json_at_all_breaks_the_reader(written: Any):
    for definition in (written, {"start": "a", "nodes": written}, {"start": "a", "nodes": {"a": written}}):
        assert problems(definition)


@given(st.sampled_from(sorted(WHOLE["nodes"])), st.text(max_size=12), JSON)
def test_no_field_of_a_node_breaks_the_reader(node: str, field: str, value: Any):
    nodes = {**WHOLE["nodes"], node: {**WHOLE["nodes"][node], field: value}}

    assert all(problem.pointer.startswith("/nodes/") for problem in problems({**WHOLE, "nodes": nodes}))
