"""What the simulated switch answers."""

import asyncio
import json
import os
import signal
import sys
from uuid import uuid4

import pytest

from telephony.esl import commands
from telephony.esl.commands import Command, Gateway, Loopback
from telephony.esl.errors import SignInRefused
from telephony.esl.link import Link
from telephony.esl.protocol import ApiReply, CommandReply
from telephony.simulator.originate import Refused, read
from telephony.simulator.switch import Switch
from tests.telephony.esl import traces
from tests.telephony.switches import running


async def ask(link: Link, line: str) -> str:
    reply = await link.send(Command(line))
    return reply.body if isinstance(reply, ApiReply) else reply.text


async def test_refuses_a_wrong_password():
    async with running(Switch()) as address:
        wrong = type(address)(host=address.host, port=address.port, password="WrongPassword")

        with pytest.raises(SignInRefused):
            await Link.open(wrong)


async def test_command_replies_are_the_recorded_ones():
    recorded = {
        "filter": "-ERR command not found",
        "event": "-ERR no keywords supplied",
        "event plain NO_SUCH_EVENT": "-ERR no keywords supplied",
        "event json CHANNEL_ANSWER NO_SUCH_EVENT": "+OK event listener enabled json",
        "nixevent CHANNEL_ANSWER": "+OK events nixed",
        "filter Unique-ID x": "+OK filter added. [Unique-ID]=[x]",
        "filter delete Unique-ID x": "+OK filter deleted. [Unique-ID][x]",
        "filter delete all": "+OK filter deleted. [all][]",
        "linger": "-ERR not controlling a session",
        "myevents": "-ERR command not found",
        "log 9": "+OK log level 9 [9]",
        "nolog": "+OK no longer logging",
        "sendmsg x": "-ERR invalid session id [x]",
        "AUTH ClueCon": "-ERR command not found",
        "api uuid_exists x": "false",
        "api uuid_kill x": "-ERR No such channel!\n",
        "api uuid_dump x json": "-ERR No such channel!\n",
        "api nosuchcommand foo": "-ERR nosuchcommand Command not found!\n",
        "api originate sofia/gateway/nosuchgateway/1 &park": "-ERR INVALID_GATEWAY\n",
        "api originate sofia/gateway/deadcarrier/1 &park": "-ERR NORMAL_TEMPORARY_FAILURE\n",
        "api originate nosuchendpoint/1 &park": "-ERR CHAN_NOT_IMPLEMENTED\n",
        "api show channels as json": '{"row_count": 0}\n',
    }
    async with running(Switch(pace=0.01)) as address:
        link = await Link.open(address)

        answered = {line: await ask(link, line) for line in recorded if line != "api show channels as json"}
        await asyncio.sleep(0.3)
        answered["api show channels as json"] = await ask(link, "api show channels as json")
        await link.close()

    assert answered == recorded


async def test_a_living_uuid_can_not_be_dialled_again_but_a_dead_one_can():
    async with running(Switch(pace=0.01)) as address:
        link = await Link.open(address)
        ended = link.events
        await link.send(commands.subscribe(["CHANNEL_DESTROY"]))
        dial = f"api originate {{origination_uuid={uuid4()}}}sofia/gateway/carrier/15550100200 &park"

        first, second = await ask(link, dial), await ask(link, dial)
        await ask(link, "api hupall")
        await ended.get()
        third = await ask(link, dial)
        await link.close()

    assert (first[:3], second, third[:3]) == ("+OK", "-ERR DESTINATION_OUT_OF_ORDER\n", "+OK")


async def test_show_channels_lags_while_uuid_exists_is_true_to_the_moment():
    channel = uuid4()
    async with running(Switch(pace=0.01)) as address:
        link = await Link.open(address)
        await ask(link, f"api originate {{origination_uuid={channel}}}sofia/gateway/carrier/15550100200 &park")
        await link.send(commands.kill(channel))

        exists = await ask(link, f"api uuid_exists {channel}")
        listed = json.loads(await ask(link, "api show channels as json"))
        await link.close()

    assert exists == "false"
    assert [row["uuid"] for row in listed["rows"]] == [str(channel)]
    real = json.loads(traces.load("show-channels-and-reconnect.json").messages()[2].body)
    assert list(listed["rows"][0]) == list(real["rows"][0])


async def test_the_time_limit_ends_an_answered_call():
    channel, job = uuid4(), uuid4()
    async with running(Switch(pace=0.01)) as address:
        link = await Link.open(address)
        await link.send(commands.subscribe(["CHANNEL_HANGUP_COMPLETE"]))
        await link.send(
            commands.originate(
                channel=channel,
                to=Gateway("carrier", "+15550100200"),
                caller_number="+15550109999",
                ring_seconds=30,
                time_limit_seconds=10,
                job=job,
            )
        )
        async with asyncio.timeout(5):
            ended = await link.events.get()
        await link.close()

    assert ended.text("Hangup-Cause") == "ALLOTTED_TIMEOUT"
    assert int(ended.text("variable_billusec")) >= 100_000


async def test_a_loopback_call_is_answered_at_once():
    channel = uuid4()
    async with running(Switch(pace=0.01)) as address:
        link = await Link.open(address)
        await link.send(commands.subscribe(["CHANNEL_ANSWER"]))
        await link.send(
            commands.originate(
                channel=channel,
                to=Loopback("9196", "default"),
                caller_number="15550109999",
                ring_seconds=30,
                job=uuid4(),
            )
        )
        async with asyncio.timeout(5):
            answered = await link.events.get()
        await link.close()

    assert answered.text("Unique-ID") == str(channel)


@pytest.mark.parametrize(
    ("argument", "note"),
    [
        ("{note='a,b',num=1}sofia/gateway/carrier/1 &park", "a,b"),
        ("{note=a\\,b,num=1}sofia/gateway/carrier/1 &park", "a,b"),
        ("{note='it\\'s',num=1}sofia/gateway/carrier/1 &park", "it's"),
        ("{note=a=b,num=1}sofia/gateway/carrier/1 &park", "a=b"),
        ("{note='x y',num=1}sofia/gateway/carrier/1 &park", "x y"),
        ("{'note=x y',num=1}sofia/gateway/carrier/1 &park", "x y"),
        ("{note='a{b}c',num=1}sofia/gateway/carrier/1 &park", "a{b}c"),
        ("{note=,num=1}sofia/gateway/carrier/1 &park", ""),
    ],
)
async def test_originate_reads_quotes_as_recorded(argument: str, note: str):
    dialled = read(argument)

    assert dialled.variables.get("note", "") == note
    assert dialled.variables["num"] == "1"


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("{campaign_id=cmp 0042}sofia/gateway/carrier/1 &park", "-ERR DESTINATION_OUT_OF_ORDER\n"),
        ("{campaign_id=cmp-0042sofia/gateway/carrier/1 &park", "-ERR DESTINATION_OUT_OF_ORDER\n"),
        ("nosuchendpoint/1 &park", "-ERR CHAN_NOT_IMPLEMENTED\n"),
    ],
)
async def test_originate_refuses_as_recorded(argument: str, answer: str):
    with pytest.raises(Refused) as refused:
        read(argument)

    assert str(refused.value) == answer


@pytest.mark.parametrize("kind", ["plain", "json", "xml"])
async def test_every_format_carries_a_body(kind: str):
    async with running(Switch()) as address:
        link = await Link.open(address)
        await ask(link, f"event {kind} BACKGROUND_JOB")
        job = uuid4()

        reply = await link.send(Command("bgapi uuid_exists x", job=job))
        async with asyncio.timeout(5):
            done = await link.events.get()
        await link.close()

    assert isinstance(reply, CommandReply)
    assert reply.headers["Job-UUID"] == str(job)
    assert (done.text("Job-UUID"), done.body) == (str(job), "false")


async def test_filters_let_only_what_matches_pass():
    async with running(Switch()) as address:
        link = await Link.open(address)
        await ask(link, "event json BACKGROUND_JOB")
        await ask(link, "filter Job-UUID wanted")
        await ask(link, "bgapi hostname")
        wanted = uuid4()
        await ask(link, f"filter Job-UUID {wanted}")
        await link.send(Command("bgapi hostname", job=wanted))
        async with asyncio.timeout(5):
            heard = await link.events.get()
        await link.close()

    assert heard.text("Job-UUID") == str(wanted)


async def test_the_process_stops_on_sigterm():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "telephony.simulator", "--port", "0", stdout=asyncio.subprocess.PIPE, env={**os.environ}
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        said = await process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert await process.wait() == 0
    assert b"a simulated FreeSWITCH answers" in said
