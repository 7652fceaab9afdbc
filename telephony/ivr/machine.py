"""A caller's way through a flow: where they are and what was heard in, where they go and what is done out. Pure.

Whatever the machine asks for has one result, and the next step begins with it. Nothing pressed is a timeout; something that is no
choice is an invalid entry; both are counted, apart, and after `tries` of either kind the way goes on by the last one's edge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from common.hours import is_open
from telephony.ivr.definition import (
    AnyNode,
    Enqueue,
    Flow,
    Gather,
    Hangup,
    Hours,
    Http,
    Menu,
    Play,
    Prompt,
    Record,
    Say,
    Transfer,
    Voicemail,
)

# However a flow is drawn, a caller (or a machine that presses keys for ever) leaves it after so many nodes.
MOST_STEPS = 500
MOST_KEPT = 100
GAP_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Where:
    """A caller's place in a flow: all there is to know to go on."""

    node: str
    tries: int = 0
    entered: Mapping[str, str] = field(default_factory=dict)
    timeouts: int = 0
    invalid_entries: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Do:
    """One thing to be done on the call, in `/actions`' words; and `http`: ask a server."""

    action: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the caller is now, and what is to be done; the result of the last of `todo` begins the next step.

    `outcome` is set when the flow is over: then nothing more is asked for, and what is in `todo` ends the call.
    """

    where: Where
    todo: tuple[Do, ...]
    outcome: str = ""


def begin(flow: Flow, *, now: datetime) -> Step:
    """Enter a flow at its start."""
    return _enter(flow, Where(flow.start), flow.start, now)


def proceed(flow: Flow, where: Where, result: Mapping[str, Any], *, now: datetime) -> Step:
    """Go on from where the caller is with the result of what was last asked for."""
    node = flow.nodes[where.node]
    match node:
        case Menu() | Gather():
            return _heard(flow, where, node, str(result.get("digits") or ""), now)
        case Transfer() if result.get("answered"):
            return Step(where, (), "transferred")
        case Enqueue() if result.get("connected"):
            return Step(where, (), "connected")
        case Voicemail():
            return Step(where, (Do("hangup"),), "voicemail")
        case Http():
            return _enter(flow, where, _answered(node, result), now)
        case Say() | Play() | Record() | Transfer() | Enqueue():
            return _enter(flow, where, node.next, now)
        case Hours() | Hangup():
            return _enter(flow, where, where.node, now)


def _enter(flow: Flow, where: Where, name: str | None, now: datetime) -> Step:
    """Walk on to the next node that has something to be done."""
    while name is not None and where.steps < MOST_STEPS:
        where = replace(where, node=name, tries=0, steps=where.steps + 1)
        node = flow.nodes[name]
        if not isinstance(node, Hours):
            return Step(where, tuple(_todo(node, where)), "hung_up" if isinstance(node, Hangup) else "")
        name = node.open if is_open(node.hours, node.timezone, now) else node.closed
    return Step(where, (Do("hangup"),), "ended" if name is None else "too_long")


def _todo(node: AnyNode, where: Where) -> Iterator[Do]:
    match node:
        case Say():
            yield Do("say", {"text": node.text, "language": node.language})
        case Play():
            yield Do("play", {"url": node.url})
        case Menu() | Gather():
            yield _asking(node, node.prompt)
        case Record():
            yield Do("record", {"max_seconds": node.max_seconds, "finish_key": node.finish_key})
        case Voicemail():
            yield _heard_as(node.prompt)
            yield Do("record", {"max_seconds": node.max_seconds, "finish_key": "#"})
        case Transfer():
            yield Do("dial", {"to": node.to, "extension": node.extension, "ring_seconds": node.ring_seconds})
        case Enqueue():
            yield Do("enqueue", {"queue": node.queue, "skills": list(node.skills)})
        case Http():
            yield Do("http", {"url": node.url, "entered": dict(where.entered)})
        case Hangup():
            yield Do("hangup")


def _asking(node: Menu | Gather, prompt: Prompt) -> Do:
    """Ask for keys; a menu takes as many as its longest choice has, and waits a moment for more if a shorter fits too."""
    if isinstance(node, Gather):
        least, most, finish = node.min_digits, node.max_digits, node.finish_key
    else:
        least, most = 1, max(map(len, node.choices))
        finish = None if any("#" in keys for keys in node.choices) else "#"
    return Do(
        "gather",
        {
            **dict(_heard_as(prompt).params),
            "min_digits": least,
            "max_digits": most,
            "finish_key": finish,
            "timeout_seconds": node.timeout_seconds,
            "digit_timeout_seconds": min(GAP_SECONDS, node.timeout_seconds),
        },
    )


def _heard_as(prompt: Prompt) -> Do:
    if prompt.play is not None:
        return Do("play", {"url": prompt.play})
    return Do("say", {"text": prompt.say, "language": prompt.language})


def _heard(flow: Flow, where: Where, node: Menu | Gather, digits: str, now: datetime) -> Step:
    if (target := _chosen(node, digits)) is not None:
        kept = {**where.entered, node.variable: digits} if isinstance(node, Gather) else where.entered
        return _enter(flow, replace(where, entered=kept), target, now)
    where = replace(where, tries=where.tries + 1)
    if digits:
        where, prompt, beyond = (
            replace(where, invalid_entries=where.invalid_entries + 1),
            node.invalid_prompt,
            node.on_invalid,
        )
    else:
        where, prompt, beyond = replace(where, timeouts=where.timeouts + 1), node.timeout_prompt, node.on_timeout
    if where.tries < node.tries:
        return Step(where, (_asking(node, prompt or node.prompt),))
    return _enter(flow, where, beyond, now)


def _chosen(node: Menu | Gather, digits: str) -> str | None:
    if isinstance(node, Menu):
        return node.choices.get(digits)
    return node.next if node.min_digits <= len(digits) <= node.max_digits else None


def _answered(node: Http, result: Mapping[str, Any]) -> str | None:
    if result.get("error"):
        return node.on_error if node.on_error is not None else node.next
    choice = result.get("choice")
    return node.choices.get(choice, node.next) if isinstance(choice, str) else node.next
