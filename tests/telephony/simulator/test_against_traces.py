"""The simulator says what a real FreeSWITCH said in the same situation, header by header."""

import asyncio
from uuid import UUID, uuid4

import pytest

from telephony.esl import commands
from telephony.esl.commands import Gateway
from telephony.esl.link import Link
from telephony.esl.protocol import Event
from telephony.simulator.switch import Switch
from tests.telephony.esl import traces
from tests.telephony.switches import running

WATCHED = [
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_EXECUTE",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_STATE",
    "BACKGROUND_JOB",
]
# What the recorded calls carried for themselves, and what ours does.
CUSTOM = {f"variable_{name}" for name in ("campaign_id", "lead_id", "attempt_id", "origination_caller_id_name")}
OPTIONAL = CUSTOM | {f"variable_{name}" for name in ("originate_timeout", "execute_on_answer", "origination_uuid")}

PAIRS = [
    ("15550100203", "originate-answered-remote-hangup.json", ""),
    ("15550100200", "originate-answered-local-kill.plain", "CHANNEL_EXECUTE"),
    ("15550100486", "originate-sip-486.json", ""),
    ("15550100403", "originate-sip-403.plain", ""),
    ("15550100404", "originate-sip-404.json", ""),
    ("15550100603", "originate-sip-603.json", ""),
    ("15550100180", "originate-no-answer-timeout.plain", ""),
    ("15550100100", "originate-100-only-timeout.json", ""),
]
# Facts that must be equal, not just present.
SAME = [
    "Hangup-Cause",
    "Answer-State",
    "Channel-Call-State",
    "Channel-State",
    "Call-Direction",
    "Channel-HIT-Dialplan",
    "Caller-Destination-Number",
    "variable_sip_term_status",
    "variable_sip_invite_failure_status",
    "variable_sip_invite_failure_phrase",
    "variable_proto_specific_hangup_cause",
    "variable_sip_term_cause",
    "variable_sip_hangup_disposition",
    "variable_hangup_cause",
    "variable_hangup_cause_q850",
    "variable_endpoint_disposition",
    "variable_last_app",
]


@pytest.mark.parametrize(("number", "trace", "kill_at"), PAIRS)
async def test_a_call_tells_the_same_story(number: str, trace: str, kill_at: str):
    recorded = [event for event in traces.load(trace).events() if event.name in WATCHED]

    told = await story(number, kill_at)

    assert by_kind(told).keys() == by_kind(recorded).keys()
    for kind, event in by_kind(told).items():
        real = by_kind(recorded)[kind]
        assert set(event.headers) ^ set(real.headers) <= OPTIONAL, kind
        assert {name: event.text(name) for name in SAME} == {name: real.text(name) for name in SAME}, kind


@pytest.mark.parametrize(("number", "trace", "kill_at"), PAIRS)
async def test_channel_events_come_in_the_same_order(number: str, trace: str, kill_at: str):
    recorded = [event for event in traces.load(trace).events() if event.name in WATCHED]

    told = await story(number, kill_at)

    assert order(told) == order(recorded)


async def test_times_are_microseconds_that_agree_with_each_other():
    (ended,) = [event for event in await story("15550100212", "") if event.name == "CHANNEL_HANGUP_COMPLETE"]

    answered, over = int(ended.text("variable_answer_uepoch")), int(ended.text("variable_end_uepoch"))
    assert int(ended.text("variable_billusec")) == over - answered
    assert int(ended.text("Caller-Channel-Answered-Time")) == answered
    assert int(ended.text("Caller-Channel-Hangup-Time")) == over


def order(events: list[Event]) -> list[tuple[str, str]]:
    """Return the channel's own events in order; BACKGROUND_JOB comes from another thread, anywhere among them."""
    return [(event.name, event.text("Channel-State")) for event in events if event.name != "BACKGROUND_JOB"]


def by_kind(events: list[Event]) -> dict[tuple[str, str], Event]:
    return {(event.name, event.text("Channel-State")): event for event in events}


async def story(number: str, kill_at: str) -> list[Event]:
    """Dial a number and return all that is heard until the channel is gone."""
    async with running(Switch(pace=0.05)) as address:
        link = await Link.open(address)
        await link.send(commands.subscribe(WATCHED))
        channel = uuid4()
        await link.send(originate(channel, number))
        heard: list[Event] = []
        async with asyncio.timeout(10):
            while not is_over(heard):
                heard.append(await link.events.get())
                if kill_at and heard[-1].name == kill_at:
                    await link.send(commands.kill(channel))
        await link.close()
        return heard


def is_over(heard: list[Event]) -> bool:
    names = [event.name for event in heard]
    return "BACKGROUND_JOB" in names and any(event.text("Channel-State") == "CS_DESTROY" for event in heard)


def originate(channel: UUID, number: str) -> commands.Command:
    return commands.originate(
        channel=channel, to=Gateway("carrier", number), caller_number="15550109999", ring_seconds=4, job=uuid4()
    )
