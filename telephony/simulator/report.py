"""The variables a channel gains as it ends: why, and how long everything took."""

from telephony.simulator import stock
from telephony.simulator.channel import Q850, Channel, Hangup
from telephony.simulator.clock import stamp


def reason(channel: Channel, hangup: Hangup) -> dict[str, str]:
    """Return what CHANNEL_HANGUP already knows: the far end's words, nothing when we hang up."""
    if refusal := hangup.refusal:
        return {
            "sip_hangup_disposition": "recv_refuse",
            "sip_invite_failure_status": str(refusal.status),
            "sip_invite_failure_phrase": refusal.phrase,
            "sip_term_status": str(refusal.status),
            "proto_specific_hangup_cause": f"sip:{refusal.status}",
            "sip_term_cause": str(refusal.q850),
        }
    if not hangup.is_remote:
        return {}
    return {
        "sip_reason": 'Q.850;cause=16;text="Normal call clearing"',
        "sip_term_status": "200",
        "proto_specific_hangup_cause": "sip:200",
        "sip_term_cause": "16",
    }


def disposition(channel: Channel, hangup: Hangup) -> dict[str, str]:
    """Return who ended the SIP dialogue, and the CANCEL we sent to one that never was."""
    if hangup.refusal:
        return {}
    if hangup.is_remote:
        # Who called and gives up before the answer sends a CANCEL.
        return {"sip_hangup_disposition": "recv_bye" if channel.answered_us else "recv_cancel"}
    if channel.answered_us:
        return {"sip_hangup_disposition": "send_bye"}
    return {
        "sip_hangup_disposition": "send_cancel",
        "sip_invite_failure_status": "487",
        "sip_invite_failure_phrase": "CANCEL",
    }


def closing(channel: Channel, hangup: Hangup) -> dict[str, str]:
    """Return everything CHANNEL_HANGUP_COMPLETE adds."""
    q850 = hangup.refusal.q850 if hangup.refusal else Q850.get(hangup.cause, 0)
    report = stock.MEDIA_REPORT if channel.answered_us else {}
    return {
        "hangup_cause": hangup.cause,
        "hangup_cause_q850": str(q850),
        "digits_dialed": "none",
        **_stamps(channel),
        **_epochs(channel),
        **({"last_app": channel.application} if channel.application else {}),
        "caller_id": f'"Outbound Call" <{channel.dialled.number}>',
        **_durations(channel),
        **report,
    }


def _moments(channel: Channel) -> dict[str, int]:
    return {
        "start": channel.created_us,
        "profile_start": channel.created_us,
        "answer": channel.answered_us,
        "progress": channel.progress_us,
        "progress_media": channel.progress_media_us,
        "end": channel.ended_us,
    }


def _stamps(channel: Channel) -> dict[str, str]:
    return {f"{name}_stamp": stamp(moment) for name, moment in _moments(channel).items() if moment}


def _epochs(channel: Channel) -> dict[str, str]:
    never = {"bridge": 0, "last_hold": 0, "resurrect": 0}
    found = {"hold_accum_seconds": "0", "hold_accum_usec": "0", "hold_accum_ms": "0"}
    for name, moment in (_moments(channel) | never).items():
        found |= {f"{name}_epoch": str(moment // 1_000_000), f"{name}_uepoch": str(moment)}
    return found


def _durations(channel: Channel) -> dict[str, str]:
    """Return each span in seconds, milliseconds and microseconds; seconds are differences of whole seconds."""
    start, end, answer = channel.created_us, channel.ended_us, channel.answered_us
    spans = {
        "bill": (answer, end),
        "progress": (start, channel.progress_us),
        "answer": (start, answer),
        "wait": (0, 0),
        "progress_media": (start, channel.progress_media_us),
        "flow_bill": (start, end),
    }
    found = {
        "duration": str(end // 1_000_000 - start // 1_000_000),
        "mduration": str(end // 1000 - start // 1000),
        "uduration": str(end - start),
    }
    for name, (since, until) in spans.items():
        since, until = (since, until) if since and until else (0, 0)
        found |= {
            f"{name}sec": str(until // 1_000_000 - since // 1_000_000),
            f"{name}msec": str(until // 1000 - since // 1000),
            f"{name}usec": str(until - since),
        }
    return found
