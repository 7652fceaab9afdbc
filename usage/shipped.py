"""The catalogue IRISX ships with: meters, plans, what they allow and what they cost (USD). A migration stores it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

CURRENCY: Final = "USD"
SINCE: Final = date(2020, 1, 1)
TRIAL_PLAN: Final = "free_trial"
VOICE: Final = ("voice", "minute")


@dataclass(frozen=True)
class ShippedMeter:
    channel: str
    resource_type: str
    name: str
    unit: str
    unit_plural: str
    metered_unit: str = ""
    price_per: int = 1


METERS: Final = (
    ShippedMeter("voice", "minute", "Voice", "minute", "minutes", "second", 60),
    ShippedMeter("voice", "storage", "Recording storage", "GB-month", "GB-months"),
    ShippedMeter("sms", "message", "SMS", "message", "messages"),
    ShippedMeter("sms", "mms", "MMS", "message", "messages"),
    ShippedMeter("email", "message", "E-mail", "recipient", "recipients"),
    ShippedMeter("whatsapp", "message", "WhatsApp", "message", "messages"),
    ShippedMeter("social", "message", "Social media", "message", "messages"),
    ShippedMeter("chat", "conversation", "Chat conversations", "conversation", "conversations"),
    ShippedMeter("chat", "message", "Chat messages", "message", "messages"),
    ShippedMeter("api", "request", "API requests", "request", "requests"),
)


@dataclass(frozen=True)
class ShippedFeature:
    """`meter` counts a quota; no shipped plan limits one, a tenant's or an operator's own plan may."""

    slug: str
    name: str
    kind: str
    unit: str = ""
    meter: tuple[str, str] = ("", "")


FEATURES: Final = (
    ShippedFeature("widgets", "Chat widgets", "static", "widgets"),
    ShippedFeature("seats", "Seats", "static", "seats"),
    ShippedFeature("concurrent_calls", "Calls at a time", "static", "calls"),
    ShippedFeature("call_recording", "Call recording", "boolean"),
    ShippedFeature("api_requests_per_minute", "API requests a minute", "static", "requests"),
    ShippedFeature("retention_days", "Days chats are kept", "static", "days"),
    ShippedFeature("voice_minutes", "Voice minutes", "metered", "minutes", VOICE),
    ShippedFeature("recording_storage", "Recording storage", "metered", "GB-months", ("voice", "storage")),
    ShippedFeature("sms_messages", "SMS", "metered", "messages", ("sms", "message")),
    ShippedFeature("mms_messages", "MMS", "metered", "messages", ("sms", "mms")),
    ShippedFeature("emails", "E-mails", "metered", "recipients", ("email", "message")),
    ShippedFeature("whatsapp_messages", "WhatsApp messages", "metered", "messages", ("whatsapp", "message")),
    ShippedFeature("social_messages", "Social media messages", "metered", "messages", ("social", "message")),
    ShippedFeature("chat_conversations", "Chat conversations", "metered", "conversations", ("chat", "conversation")),
    ShippedFeature("chat_messages", "Chat messages", "metered", "messages", ("chat", "message")),
    ShippedFeature("api_requests", "API requests", "metered", "requests", ("api", "request")),
)


@dataclass(frozen=True)
class ShippedPlan:
    """`prices` are per priced unit by meter; a meter not named costs an explicit 0."""

    slug: str
    name: str
    monthly_fee: str
    included_credit: str
    prices: dict[tuple[str, str], str]
    features: dict[str, int | bool | None]
    trial_days: int | None = None
    is_credit_once: bool = False


def _prices(voice: str, sms: str, mms: str, email: str, whatsapp: str) -> dict[tuple[str, str], str]:
    return {
        VOICE: voice,
        ("sms", "message"): sms,
        ("sms", "mms"): mms,
        ("email", "message"): email,
        ("whatsapp", "message"): whatsapp,
    }


def _features(
    widgets: int | None, seats: int | None, calls: int, recording: bool, api_requests: int, days: int
) -> dict[str, int | bool | None]:
    return {
        "widgets": widgets,
        "seats": seats,
        "concurrent_calls": calls,
        "call_recording": recording,
        "api_requests_per_minute": api_requests,
        "retention_days": days,
    }


PLANS: Final = (
    ShippedPlan(
        slug=TRIAL_PLAN,
        name="Free trial",
        monthly_fee="0",
        included_credit="50",
        prices=_prices("0.0150", "0.0075", "0.0200", "0.0010", "0.0050"),
        features=_features(1, 2, 2, False, 60, 30),
        trial_days=14,
        is_credit_once=True,
    ),
    ShippedPlan(
        slug="starter",
        name="Starter",
        monthly_fee="29",
        included_credit="10",
        prices=_prices("0.0140", "0.0075", "0.0200", "0.0010", "0.0050"),
        features=_features(2, 5, 5, True, 120, 90),
    ),
    ShippedPlan(
        slug="professional",
        name="Professional",
        monthly_fee="99",
        included_credit="50",
        prices=_prices("0.0120", "0.0070", "0.0180", "0.0008", "0.0045"),
        features=_features(10, 25, 25, True, 600, 365),
    ),
    ShippedPlan(
        slug="enterprise",
        name="Enterprise",
        monthly_fee="499",
        included_credit="200",
        prices=_prices("0.0090", "0.0060", "0.0150", "0.0005", "0.0040"),
        features=_features(None, None, 200, True, 3000, 1095),
    ),
)


def rates_of(plan: ShippedPlan) -> Iterator[dict[str, Any]]:
    """Yield the rates of a plan as columns of `pricing_rates`: voice is 60/60, inbound and to prefix 1 only."""
    for meter in METERS:
        key = (meter.channel, meter.resource_type)
        price = Decimal(plan.prices.get(key, "0"))
        columns = {"channel": key[0], "resource_type": key[1], "unit_price": price}
        if key == VOICE:
            increments = {"initial_seconds": 60, "step_seconds": 60}
            yield {**columns, **increments, "direction": "inbound"}
            yield {**columns, **increments, "direction": "outbound", "destination_prefix": "1"}
        else:
            yield columns


def store(meters: Any, plans: Any, features: Any, rates: Any, *, using: str) -> None:
    """Insert what is missing by a migration's models; what an operator changed stays. A repeat changes nothing."""
    for position, meter in enumerate(METERS, start=1):
        meters.objects.using(using).get_or_create(
            channel=meter.channel,
            resource_type=meter.resource_type,
            defaults={
                "name": meter.name,
                "unit": meter.unit,
                "unit_plural": meter.unit_plural,
                "metered_unit": meter.metered_unit or meter.unit,
                "price_per": meter.price_per,
                "position": position,
            },
        )
    for position, plan in enumerate(PLANS, start=1):
        row, is_new = plans.objects.using(using).get_or_create(
            slug=plan.slug,
            defaults={
                "name": plan.name,
                "currency": CURRENCY,
                "monthly_fee": Decimal(plan.monthly_fee),
                "included_credit": Decimal(plan.included_credit),
                "is_credit_once": plan.is_credit_once,
                "trial_days": plan.trial_days,
                "position": position,
            },
        )
        if is_new:
            features.objects.using(using).bulk_create(
                features(plan=row, slug=slug, value=v) for slug, v in plan.features.items()
            )
            rates.objects.using(using).bulk_create(
                rates(plan=row, currency=CURRENCY, effective_from=SINCE, **columns) for columns in rates_of(plan)
            )


def store_features(features: Any, *, using: str) -> None:
    """Insert the features that are missing by a migration's model; what an operator changed stays."""
    for position, feature in enumerate(FEATURES, start=1):
        features.objects.using(using).get_or_create(
            slug=feature.slug,
            defaults={
                "name": feature.name,
                "kind": feature.kind,
                "unit": feature.unit,
                "channel": feature.meter[0],
                "resource_type": feature.meter[1],
                "position": position,
            },
        )
