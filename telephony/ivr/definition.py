"""A flow as JSON: read, and held against what a caller could meet in it. Pure.

A flow is `{"start": "welcome", "nodes": {"welcome": {"type": "menu", …}, …}}`. Where a node names no next one, the call ends
there. Nothing is refused half: `problems` names every mistake with a pointer to it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Union

import msgspec
from msgspec import Meta, Struct

from common.errors import FieldProblem, Invalid
from common.hours import checked
from common.periods import zone

MOST_NODES = 200
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)

Name = Annotated[str, Meta(min_length=1, max_length=40)]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]
Url = Annotated[str, Meta(min_length=1, max_length=500)]
Seconds = Annotated[int, Meta(ge=1, le=60)]
Minutes = Annotated[int, Meta(ge=1, le=600)]
Tries = Annotated[int, Meta(ge=1, le=10)]
Digits = Annotated[int, Meta(ge=1, le=20)]
Key = Annotated[str, Meta(pattern=r"^[0-9*#]\Z")]
Choice = Annotated[str, Meta(pattern=r"^[0-9*#]{1,4}\Z")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?\Z")]
Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")]


class Prompt(Struct, frozen=True, forbid_unknown_fields=True):
    """What is heard: a text that is spoken, or a sound that is played."""

    say: Text | None = None
    play: Url | None = None
    language: Language = "en-US"


class Node(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """One place of a flow. `silent` are the edges taken without the caller's doing, `heard` those that need an entry."""

    silent: ClassVar[tuple[str, ...]] = ()
    heard: ClassVar[tuple[str, ...]] = ()

    def edges(self) -> Iterator[tuple[str, str, bool]]:
        """Yield (pointer below the node, target, whether it needs the caller's entry)."""
        for names, needs_entry in ((self.silent, False), (self.heard, True)):
            for name in names:
                if (target := getattr(self, name)) is not None:
                    yield name, target, needs_entry


class Say(Node, frozen=True, tag="say"):
    """Speak a text."""

    silent = ("next",)
    text: Text
    language: Language = "en-US"
    next: Name | None = None


class Play(Node, frozen=True, tag="play"):
    """Play a sound."""

    silent = ("next",)
    url: Url
    next: Name | None = None


class Menu(Node, frozen=True, tag="menu"):
    """Let the caller choose by keys; nothing pressed and a wrong key are told apart."""

    silent = ("on_timeout",)
    heard = ("on_invalid",)
    prompt: Prompt
    choices: Annotated[dict[Choice, Name], Meta(min_length=1, max_length=30)]
    timeout_seconds: Seconds = 5
    tries: Tries = 3
    timeout_prompt: Prompt | None = None
    invalid_prompt: Prompt | None = None
    on_timeout: Name | None = None
    on_invalid: Name | None = None

    def edges(self) -> Iterator[tuple[str, str, bool]]:
        yield from super().edges()
        for key, target in self.choices.items():
            yield f"choices/{key}", target, True


class Gather(Node, frozen=True, tag="gather"):
    """Take digits from the caller and keep them under a name."""

    silent = ("on_timeout",)
    heard = ("next", "on_invalid")
    prompt: Prompt
    variable: Name
    next: Name
    min_digits: Digits = 1
    max_digits: Digits = 20
    finish_key: Key | None = "#"
    timeout_seconds: Seconds = 5
    tries: Tries = 3
    timeout_prompt: Prompt | None = None
    invalid_prompt: Prompt | None = None
    on_timeout: Name | None = None
    on_invalid: Name | None = None


class Record(Node, frozen=True, tag="record"):
    """Record the caller, and go on."""

    silent = ("next",)
    max_seconds: Minutes = 60
    finish_key: Key | None = "#"
    next: Name | None = None


class Voicemail(Node, frozen=True, tag="voicemail"):
    """Ask for a message, record it, and end the call."""

    prompt: Prompt
    max_seconds: Minutes = 120


class Transfer(Node, frozen=True, tag="transfer"):
    """Connect the caller with a number or an extension; `next` is where nobody answered."""

    silent = ("next",)
    to: Number | None = None
    extension: Annotated[str, Meta(pattern=r"^[0-9]{2,8}\Z")] | None = None
    ring_seconds: Annotated[int, Meta(ge=5, le=120)] = 30
    next: Name | None = None


class Enqueue(Node, frozen=True, tag="queue"):
    """Put the caller into a queue; `next` is where nobody took the call."""

    silent = ("next",)
    queue: Annotated[str, Meta(pattern=r"^qu_[0-9a-f]{32}\Z")]
    skills: Annotated[list[Name], Meta(max_length=20)] = []
    next: Name | None = None


class Hours(Node, frozen=True, tag="hours"):
    """Go two ways by the clock of a time zone."""

    silent = ("open", "closed")
    hours: dict[str, Any]
    timezone: Annotated[str, Meta(min_length=1, max_length=60)]
    open: Name | None = None
    closed: Name | None = None


class Http(Node, frozen=True, tag="http"):
    """Ask a web server where to go: its answer's `choice` picks one of `choices`, else `next`."""

    silent = ("next", "on_error")
    url: Url
    choices: Annotated[dict[Name, Name], Meta(max_length=30)] = {}
    next: Name | None = None
    on_error: Name | None = None

    def edges(self) -> Iterator[tuple[str, str, bool]]:
        yield from super().edges()
        for key, target in self.choices.items():
            yield f"choices/{key}", target, False


class Hangup(Node, frozen=True, tag="hangup"):
    """End the call."""


AnyNode = Union[  # noqa: UP007 - msgspec reads it
    Say, Play, Menu, Gather, Record, Voicemail, Transfer, Enqueue, Hours, Http, Hangup
]


class Flow(Struct, frozen=True):
    """A whole flow, without mistakes."""

    start: str
    nodes: dict[str, AnyNode]


def read(definition: Any) -> Flow:
    """Return the flow a definition is; raises Invalid with a pointer to every mistake."""
    nodes: dict[str, AnyNode] = {}
    found = list(_read_nodes(definition, nodes)) or list(_graph_problems(definition["start"], nodes))
    if found:
        raise Invalid.many(found)
    return Flow(definition["start"], nodes)


def problems(definition: Any) -> list[FieldProblem]:
    """Return what is wrong with a definition, nothing when it could be published."""
    try:
        read(definition)
    except Invalid as error:
        return list(error.errors)
    return []


def urls(flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield (pointer, address) of every address a flow names."""
    for name, node in flow.nodes.items():
        if isinstance(node, Play | Http):
            yield f"/nodes/{name}/url", node.url
        for field in ("prompt", "timeout_prompt", "invalid_prompt"):
            prompt = getattr(node, field, None)
            if prompt is not None and prompt.play is not None:
                yield f"/nodes/{name}/{field}/play", prompt.play


def _read_nodes(definition: Any, nodes: dict[str, AnyNode]) -> Iterator[FieldProblem]:
    if not isinstance(definition, Mapping):
        yield FieldProblem("/", "invalid", "A flow is an object with start and nodes.")
        return
    for name in sorted(set(definition) - {"start", "nodes"}, key=str):
        yield FieldProblem(f"/{_token(name)}", "unknown", "There is no such field.")
    written = definition.get("nodes")
    if not isinstance(written, Mapping) or not 1 <= len(written) <= MOST_NODES:
        yield FieldProblem("/nodes", "invalid", f"A flow has 1 to {MOST_NODES} nodes, by name.")
        return
    start = definition.get("start")
    if not isinstance(start, str) or start not in written:
        yield FieldProblem("/start", "no-such-node", "start is the name of a node.")
    for name, node in written.items():
        yield from _read_node(name, node, nodes)


def _read_node(name: Any, written: Any, nodes: dict[str, AnyNode]) -> Iterator[FieldProblem]:
    here = f"/nodes/{_token(name)}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield FieldProblem(here, "invalid", "A node's name has letters, digits, dashes and underscores, 40 at most.")
        return
    try:
        node: AnyNode = msgspec.convert(written, AnyNode)
    except msgspec.ValidationError as error:
        yield _problem(here, str(error))
        return
    mistakes = list(_mistakes(node, here))
    yield from mistakes
    if not mistakes:
        nodes[name] = node


def _mistakes(node: AnyNode, here: str) -> Iterator[FieldProblem]:
    """Yield what the types can't say."""
    for field in ("prompt", "timeout_prompt", "invalid_prompt"):
        prompt = getattr(node, field, None)
        if prompt is not None and (prompt.say is None) == (prompt.play is None):
            yield FieldProblem(f"{here}/{field}", "invalid", "A prompt has either say or play.")
    if isinstance(node, Gather) and node.min_digits > node.max_digits:
        yield FieldProblem(f"{here}/min_digits", "invalid", "min_digits is max_digits at most.")
    if isinstance(node, Transfer) and (node.to is None) == (node.extension is None):
        yield FieldProblem(here, "invalid", "A transfer has either to or extension.")
    if isinstance(node, Hours):
        yield from _hours_mistakes(node, here)


def _hours_mistakes(node: Hours, here: str) -> Iterator[FieldProblem]:
    try:
        checked(node.hours, f"{here}/hours")
    except Invalid as error:
        yield from error.errors
    try:
        zone(node.timezone)
    except Invalid:
        yield FieldProblem(f"{here}/timezone", "unknown", "This is no time zone, for example Europe/Berlin.")


def _graph_problems(start: str, nodes: Mapping[str, AnyNode]) -> Iterator[FieldProblem]:
    """Yield targets that are not there, nodes nobody reaches, and circles a silent caller would go round in."""
    missing = [
        FieldProblem(f"/nodes/{name}/{_pointer(field)}", "no-such-node", f"There is no node {target!r}.")
        for name, node in nodes.items()
        for field, target, _ in node.edges()
        if target not in nodes
    ]
    if missing:
        yield from missing
        return
    reached = _reached(start, nodes)
    for name in nodes:
        if name not in reached:
            yield FieldProblem(f"/nodes/{name}", "unreachable", "No way leads to this node.")
    for name in _circling(nodes):
        yield FieldProblem(f"/nodes/{name}", "endless", "A caller who enters nothing comes back here without end.")


def _reached(start: str, nodes: Mapping[str, AnyNode]) -> set[str]:
    reached, ahead = {start}, [start]
    while ahead:
        for _, target, _ in nodes[ahead.pop()].edges():
            if target not in reached:
                reached.add(target)
                ahead.append(target)
    return reached


def _circling(nodes: Mapping[str, AnyNode]) -> list[str]:
    """Return the nodes left when those without a silent way to others are taken away again and again, both ways."""
    silent = {name: {t for _, t, needs_entry in node.edges() if not needs_entry} for name, node in nodes.items()}
    while idle := [name for name, targets in silent.items() if not targets or not _is_target(name, silent)]:
        for name in idle:
            del silent[name]
        for targets in silent.values():
            targets.difference_update(idle)
    return list(silent)


def _is_target(name: str, edges: Mapping[str, set[str]]) -> bool:
    return any(name in targets for targets in edges.values())


def _problem(here: str, message: str) -> FieldProblem:
    """Turn msgspec's words (`Expected … - at `$.prompt.say``) into a pointer and a sentence."""
    said, _, at = message.partition(" - at ")
    _, _, path = at.rpartition("$")
    path = re.sub(r"\[(\d+)\]|\[\.\.\.\]|\.", lambda found: f"/{found[1]}" if found[1] else "/", path.rstrip("`"))
    return FieldProblem((here + path).rstrip("/"), "invalid", f"{said.removesuffix('.')}.")


def _token(name: Any) -> str:
    return str(name)[:60].replace("~", "~0").replace("/", "~1")


def _pointer(field: str) -> str:
    first, _, rest = field.partition("/")
    return f"{first}/{_token(rest)}" if rest else first
