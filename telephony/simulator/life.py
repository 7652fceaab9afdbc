"""The life of one channel, event by event in the order a real switch sends them."""

import asyncio
import re
from uuid import uuid4

from telephony.simulator import report, stock
from telephony.simulator.carrier import OVERLOADED, Plan, plan_for
from telephony.simulator.channel import CALL_STATE_NUMBERS, Channel, Hangup
from telephony.simulator.clock import now_us
from telephony.simulator.originate import Dialled, Refused
from telephony.simulator.switch import Switch

EXECUTE_SECONDS = 0.02
RING_SECONDS = 60
_APPLICATION = re.compile(r"&(\w+)(?:\((.*)\))?")
_SCHEDULED = re.compile(r"sched_hangup \+(\d+)(?: (\w+))?")


def begin(switch: Switch, dialled: Dialled) -> "asyncio.Future[str]":
    """Start a channel; the future holds what `originate` answers once it is answered or has failed. Raises Refused."""
    if dialled.gateway == "user" and dialled.number not in switch.telephones:
        raise Refused("-ERR USER_NOT_REGISTERED\n")
    if dialled.gateway not in switch.gateways | {"loopback", "user", "sip"}:
        raise Refused("-ERR INVALID_GATEWAY\n")
    uuid = dialled.uuid
    if uuid in switch.channels:
        raise Refused("-ERR DESTINATION_OUT_OF_ORDER\n")
    switch.sessions += 1
    channel = Channel(dialled=dialled, uuid=uuid, session_id=switch.sessions)
    switch.channels[uuid] = channel
    life = switch.lives[uuid] = _Life(switch, channel)
    plan = switch.telephones[dialled.number] if dialled.gateway == "user" else _plan(dialled)
    switch.spawn(life.run(plan))
    return life.settled


def arrive(
    switch: Switch, *, to: str, caller: str, hangs_up_after: float | None = None, is_ours: bool = True
) -> Channel:
    """Let a call come in and be parked by our dialplan; the caller gives up after some seconds, or waits for ever."""
    marked = {"irisx_inbound": "true"} if is_ours else {}
    dialled = Dialled("carrier", to, "&park", {"origination_caller_id_number": caller, **marked})
    switch.sessions += 1
    channel = Channel(dialled=dialled, uuid=str(uuid4()), session_id=switch.sessions, direction="inbound")
    switch.channels[channel.uuid] = channel
    life = switch.lives[channel.uuid] = _Life(switch, channel)
    switch.spawn(life.wait(hangs_up_after))
    return channel


def _plan(dialled: Dialled) -> Plan:
    if dialled.gateway == "loopback":
        return Plan(answered_after=0.0)
    return Plan(refusal=OVERLOADED) if dialled.gateway == "deadcarrier" else plan_for(dialled.number)


class _Life:
    def __init__(self, switch: Switch, channel: Channel) -> None:
        self.switch, self.channel = switch, channel
        self.settled: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self, plan: Plan) -> None:
        """Live from the first event to the last; who waits for `originate` is let go even when the switch crashes."""
        try:
            await self._live(plan)
        finally:
            self.settled.cancel()

    async def _live(self, plan: Plan) -> None:
        self._create()
        ring_seconds = int(self.channel.variables.get("originate_timeout", RING_SECONDS))
        timeout = self._later(ring_seconds, Hangup("NO_ANSWER"))
        try:
            await self._reach(plan)
        finally:
            timeout.cancel()
        if self.channel.answered_us and self.channel.is_alive:
            await self._talk(plan)
        await self.channel.over.wait()
        self._finish()

    async def wait(self, hangs_up_after: float | None) -> None:
        """Be a call that came in: parked at once, until somebody hangs up."""
        self.switch.show_soon(self.channel)
        self._enter("CS_INIT", number="2")
        self._say("CHANNEL_CREATE")
        self._enter("CS_ROUTING")
        self._execute()
        if hangs_up_after is not None and not await self._pause(hangs_up_after):
            self.channel.end(
                Hangup("NORMAL_CLEARING" if self.channel.answered_us else "ORIGINATOR_CANCEL", is_remote=True)
            )
        await self.channel.over.wait()
        self._finish()

    def answer(self) -> None:
        """Answer a channel that came in; a repeat changes nothing."""
        if not self.channel.answered_us:
            self._answer()

    def _later(self, seconds: float, hangup: Hangup) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds * self.switch.pace, self.channel.end, hangup)

    async def _pause(self, seconds: float) -> bool:
        return await self.channel.ends_within(seconds * self.switch.pace)

    def _create(self) -> None:
        self.switch.show_soon(self.channel)
        self._say("CHANNEL_OUTGOING", with_variables=False)
        self._enter("CS_INIT", number="1")
        self._say("CHANNEL_CREATE")
        self._say("CHANNEL_ORIGINATE")
        self._enter("CS_ROUTING")
        self._enter("CS_CONSUME_MEDIA")

    async def _reach(self, plan: Plan) -> None:
        """Ring, then be refused or answered; return as soon as the channel ends."""
        waited = 0.0
        if plan.rings_after is not None and not await self._pause(plan.rings_after):
            waited = plan.rings_after
            self._ring()
        if plan.early_media_after is not None and not await self._pause(plan.early_media_after):
            waited = plan.early_media_after
            self._early_media()
        if plan.refusal and not await self._pause(plan.refused_after - waited):
            self.channel.learn({name: stock.PROGRESSED[name] for name in REACHED})
            self.channel.end(Hangup(plan.refusal.cause, refusal=plan.refusal))
        elif plan.answered_after is not None and not await self._pause(plan.answered_after - waited):
            self._answer()
        elif not plan.refusal and plan.answered_after is None:
            await self.channel.over.wait()

    def _ring(self) -> None:
        self.channel.learn(stock.PROGRESSED)
        self.channel.progress_us = now_us()
        self._say("CHANNEL_PROGRESS")
        self._call_state("RINGING")

    def _early_media(self) -> None:
        self.channel.learn(stock.PROGRESSED)
        self.channel.progress_media_us = now_us()
        self._say("CHANNEL_PROGRESS_MEDIA")
        self._call_state("EARLY")

    def _answer(self) -> None:
        self.channel.learn(stock.PROGRESSED)
        self.channel.learn(stock.ANSWERED)
        self.channel.answered_us = now_us()
        self._say("CHANNEL_ANSWER")
        self._call_state("ACTIVE")
        if scheduled := _SCHEDULED.fullmatch(self.channel.variables.get("execute_on_answer", "")):
            self._later(int(scheduled[1]), Hangup((scheduled[2] or "ALLOTTED_TIMEOUT").upper()))

    async def _talk(self, plan: Plan) -> None:
        if await self.channel.ends_within(EXECUTE_SECONDS):
            return
        self.settled.set_result(f"+OK {self.channel.uuid}\n")
        await asyncio.sleep(0)
        self._execute()
        for digit in plan.digits:
            await self._pause(0.3)
            self._digit(digit)
        if plan.hangs_up_after is not None and not await self._pause(plan.hangs_up_after):
            self.channel.end(Hangup("NORMAL_CLEARING", is_remote=True))

    def _execute(self) -> None:
        found = _APPLICATION.fullmatch(self.channel.dialled.application)
        self.channel.application = found[1] if found else "park"
        self.channel.learn(stock.EXECUTED)
        self.channel.variables["current_application"] = self.channel.application
        self.application_uuid = str(uuid4())
        self._enter("CS_EXECUTE")
        self._say("CHANNEL_EXECUTE", self._applied())
        if self.channel.application == "park":
            self._say("CHANNEL_PARK")
        if self.channel.application == "hangup":
            self.channel.end(Hangup((found and found[2]) or "NORMAL_CLEARING"))

    def _digit(self, digit: str) -> None:
        if self.channel.is_alive:
            extra = {"DTMF-Digit": digit, "DTMF-Duration": "2240", "DTMF-Source": "RTP"}
            self.switch.publish("DTMF", self.channel.headers(with_variables=False) | extra)

    def _finish(self) -> None:
        channel, hangup = self.channel, self.channel.hangup
        assert hangup is not None
        channel.variables |= report.reason(channel, hangup)
        self._say("CHANNEL_HANGUP")
        if not self.settled.done():
            self.settled.set_result(f"-ERR {hangup.cause}\n")
        if hangup.is_remote:
            channel.variables |= report.disposition(channel, hangup)
        if channel.application:
            self._say("CHANNEL_UNPARK")
            self._say("CHANNEL_EXECUTE_COMPLETE", self._applied() | {"Application-Response": "_none_"})
        self._enter("CS_HANGUP")
        channel.ended_us = now_us()
        self._call_state("HANGUP")
        self._enter("CS_REPORTING")
        channel.variables |= report.disposition(channel, hangup) | report.closing(channel, hangup)
        self._say("CHANNEL_HANGUP_COMPLETE")
        del self.switch.channels[channel.uuid]
        del self.switch.lives[channel.uuid]
        self.switch.forget_later(channel)
        self._enter("CS_DESTROY")
        self._say("CHANNEL_DESTROY")

    def _applied(self) -> dict[str, str]:
        return {"Application": self.channel.application, "Application-UUID": self.application_uuid}

    def _enter(self, state: str, number: str = "") -> None:
        self.channel.state = state
        override = {"Channel-State-Number": number} if number else {}
        self.switch.publish("CHANNEL_STATE", self.channel.headers(with_variables=False) | override)

    def _call_state(self, call_state: str) -> None:
        before, self.channel.call_state = self.channel.call_state, call_state
        numbers = {
            "Original-Channel-Call-State": before,
            "Channel-Call-State-Number": str(CALL_STATE_NUMBERS[call_state]),
        }
        self.switch.publish("CHANNEL_CALLSTATE", self.channel.headers(with_variables=False) | numbers)

    def _say(self, name: str, extra: dict[str, str] | None = None, *, with_variables: bool = True) -> None:
        self.switch.publish(name, self.channel.headers(with_variables=with_variables) | (extra or {}))


# What is known of a callee that answered with nothing but a refusal.
REACHED = ("sip_reply_host", "sip_reply_port", "sip_network_ip", "sip_network_port", "sip_call_id")
