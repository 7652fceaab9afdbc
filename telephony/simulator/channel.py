"""One channel: what it knows, and the headers its events carry."""

import asyncio
from dataclasses import dataclass, field

from telephony.simulator import stock
from telephony.simulator.carrier import Refusal
from telephony.simulator.clock import now_us, stamp
from telephony.simulator.originate import Dialled

STATE_NUMBERS = {
    "CS_NONE": 1,
    "CS_INIT": 2,
    "CS_ROUTING": 2,
    "CS_EXECUTE": 4,
    "CS_CONSUME_MEDIA": 7,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
    "CS_DESTROY": 12,
}
CALL_STATE_NUMBERS = {"DOWN": 0, "RINGING": 2, "EARLY": 3, "ACTIVE": 4, "HANGUP": 7}
Q850 = {
    "NORMAL_CLEARING": 16,
    "ORIGINATOR_CANCEL": 16,
    "ALLOTTED_TIMEOUT": 16,
    "MANAGER_REQUEST": 16,
    "SYSTEM_SHUTDOWN": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "NORMAL_UNSPECIFIED": 31,
}


@dataclass(frozen=True, slots=True)
class Hangup:
    """Why a channel ends: by us, by the far end's BYE, or by its refusal of the INVITE."""

    cause: str
    is_remote: bool = False
    refusal: Refusal | None = None


@dataclass(slots=True)
class Channel:
    """A channel's state; the life around it lives in `life`."""

    dialled: Dialled
    uuid: str
    session_id: int
    created_us: int = field(default_factory=now_us)
    progress_us: int = 0
    progress_media_us: int = 0
    answered_us: int = 0
    ended_us: int = 0
    state: str = "CS_NONE"
    call_state: str = "DOWN"
    application: str = ""
    hangup: Hangup | None = None
    direction: str = "outbound"
    bridged_with: str = ""
    heard: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.learn(stock.CREATED)
        self.variables |= {"session_id": str(self.session_id)} | self.dialled.variables

    @property
    def name(self) -> str:
        """Return the channel's name."""
        return f"sofia/external/{self.dialled.number}"

    @property
    def caller_number(self) -> str:
        """Return the number shown to the callee."""
        return self.dialled.variables.get("origination_caller_id_number", "0000000000")

    @property
    def caller_name(self) -> str:
        """Return the name shown to the callee."""
        return self.dialled.variables.get("origination_caller_id_name", "")

    @property
    def answer_state(self) -> str:
        """Return Answer-State."""
        if self.hangup:
            return "hangup"
        if self.answered_us:
            return "answered"
        return "early" if self.progress_media_us else "ringing"

    @property
    def is_alive(self) -> bool:
        """Say whether `uuid_exists` finds the channel: no longer once it hangs up."""
        return self.hangup is None

    def end(self, hangup: Hangup) -> None:
        """Hang up; the first reason counts."""
        if self.hangup is None:
            self.hangup = hangup
            self.over.set()

    async def ends_within(self, seconds: float | None) -> bool:
        """Wait for the end, at most some real seconds, and say whether it came."""
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return False
        return True

    def learn(self, variables: dict[str, str]) -> None:
        """Set the variables of a stage, its placeholders filled."""
        own = {
            "{uuid}": self.uuid,
            "{gateway}": self.dialled.gateway,
            "{number}": self.dialled.number,
            "{caller}": self.caller_number,
            "{caller_name}": self.caller_name,
        }
        for name, value in variables.items():
            for mark, text in own.items():
                value = value.replace(mark, text)
            self.variables[name] = value

    def headers(self, *, with_variables: bool) -> dict[str, str]:
        """Return what every event of this channel says, in the switch's order."""
        found = self._channel() | self._codec() | self._caller()
        if with_variables:
            found |= {f"variable_{name}": value for name, value in self.variables.items()}
        return found

    def _channel(self) -> dict[str, str]:
        found = {
            "Channel-State": self.state,
            "Channel-Call-State": self.call_state,
            "Channel-State-Number": self._state_number(),
            "Channel-Name": self.name,
            "Unique-ID": self.uuid,
            "Call-Direction": self.direction,
            "Presence-Call-Direction": self.direction,
            "Channel-HIT-Dialplan": "true" if self.application else "false",
            "Channel-Call-UUID": self.uuid,
            "Answer-State": self.answer_state,
        }
        return found | ({"Hangup-Cause": self.hangup.cause} if self.hangup else {})

    def _state_number(self) -> str:
        # While its application still runs, a channel that hangs up already shows the number of CS_HANGUP.
        is_leaving = self.hangup is not None and self.state == "CS_EXECUTE"
        return str(STATE_NUMBERS["CS_HANGUP" if is_leaving else self.state])

    def _codec(self) -> dict[str, str]:
        if "read_codec" not in self.variables:
            return {}
        facts = {"Name": "PCMU", "Rate": "8000", "Bit-Rate": "64000"}
        return {f"Channel-{way}-Codec-{fact}": value for way in ("Read", "Write") for fact, value in facts.items()}

    def _caller(self) -> dict[str, str]:
        near = (self.caller_name, self.caller_number)
        far = ("Outbound Call", self.dialled.number)
        # Once an application runs, the switch shows the callee as the caller (variable_channel_cid_flipped).
        shown, other = (far, near) if self.application and self.direction == "outbound" else (near, far)
        reached = {"Caller-Network-Addr": "127.0.0.1"} if "sip_network_ip" in self.variables else {}
        return {
            "Caller-Direction": self.direction,
            "Caller-Logical-Direction": self.direction,
            "Caller-Caller-ID-Name": shown[0],
            "Caller-Caller-ID-Number": shown[1],
            "Caller-Orig-Caller-ID-Name": near[0],
            "Caller-Orig-Caller-ID-Number": near[1],
            "Caller-Callee-ID-Name": other[0],
            "Caller-Callee-ID-Number": other[1],
            **reached,
            "Caller-ANI": near[1],
            "Caller-Destination-Number": self.dialled.number,
            "Caller-Unique-ID": self.uuid,
            "Caller-Source": "src/switch_ivr_originate.c",
            "Caller-Context": "default",
            "Caller-Channel-Name": self.name,
            "Caller-Profile-Index": "1",
            "Caller-Profile-Created-Time": str(self.created_us),
            "Caller-Channel-Created-Time": str(self.created_us),
            "Caller-Channel-Answered-Time": str(self.answered_us),
            "Caller-Channel-Progress-Time": str(self.progress_us),
            "Caller-Channel-Progress-Media-Time": str(self.progress_media_us),
            "Caller-Channel-Hangup-Time": str(self.ended_us),
            "Caller-Channel-Transfer-Time": "0",
            "Caller-Channel-Resurrect-Time": "0",
            "Caller-Channel-Bridged-Time": "0",
            "Caller-Channel-Last-Hold": "0",
            "Caller-Channel-Hold-Accum": "0",
            "Caller-Screen-Bit": "true",
            "Caller-Privacy-Hide-Name": "false",
            "Caller-Privacy-Hide-Number": "false",
        }

    def row(self) -> dict[str, str]:
        """Return this channel's line of `show channels`."""
        empty = dict.fromkeys(ROW, "")
        return empty | {
            "uuid": self.uuid,
            "direction": self.direction,
            "created": stamp(self.created_us),
            "created_epoch": str(self.created_us // 1_000_000),
            "name": self.name,
            "state": self.state,
            "cid_name": "Outbound Call" if self.application else self.caller_name,
            "cid_num": self.dialled.number if self.application else self.caller_number,
            "dest": self.dialled.number,
            "application": self.application,
            "context": "default",
            "hostname": "fs1",
            "callstate": self.call_state,
            "callee_num": self.caller_number if self.application else self.dialled.number,
            "call_uuid": self.uuid,
            "initial_cid_name": self.caller_name,
            "initial_cid_num": self.caller_number,
            "initial_dest": self.dialled.number,
            "initial_context": "default",
        }


# fmt: off
ROW = [
    "uuid", "direction", "created", "created_epoch", "name", "state", "cid_name", "cid_num", "ip_addr", "dest",
    "application", "application_data", "dialplan", "context", "read_codec", "read_rate", "read_bit_rate",
    "write_codec", "write_rate", "write_bit_rate", "secure", "hostname", "presence_id", "presence_data",
    "accountcode", "callstate", "callee_name", "callee_num", "callee_direction", "call_uuid", "sent_callee_name",
    "sent_callee_num", "initial_cid_name", "initial_cid_num", "initial_ip_addr", "initial_dest",
    "initial_dialplan", "initial_context",
]
# fmt: on
