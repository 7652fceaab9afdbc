"""Calls and their events as the API and the webhooks show them."""

from typing import Any

from common.ids import encode_call
from common.money import plain
from common.timestamps import rfc3339
from telephony.models import Call, CallEvent


def present_call(call: Call) -> dict[str, Any]:
    """Return a call as the world sees it. No query."""
    return {
        "sid": encode_call(call.id),
        "status": call.status,
        "direction": call.direction,
        "to": call.to_number,
        "from": call.from_number,
        "time_limit_seconds": call.time_limit_seconds,
        "status_callback": call.status_callback or None,
        "metadata": call.metadata,
        "created_at": rfc3339(call.created_at),
        "ringing_at": rfc3339(call.ringing_at),
        "answered_at": rfc3339(call.answered_at),
        "ended_at": rfc3339(call.ended_at),
        "reason": call.reason or None,
        "retry": call.retry or None,
        "hangup_cause": call.hangup_cause or None,
        "q850": call.q850,
        "sip_status": call.sip_status,
        "hangup_source": call.hangup_source or None,
        "estimated": call.is_estimated,
        "billed_seconds": call.billed_seconds,
        "price": None if call.price is None else plain(call.price),
        "currency": call.currency,
        "price_final": call.is_price_final,
    }


def present_event(event: CallEvent) -> dict[str, Any]:
    """Return one event of a call's timeline."""
    return {
        "seq": event.seq,
        "type": event.type,
        "occurred_at": rfc3339(event.occurred_at),
        "payload": event.payload,
    }
