"""When an attempt follows, and when an endpoint is left alone. Pure: `now` and the spread (-1 to 1, by chance) are passed in."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# After the first failed attempt, the second, …; after the ninth nothing follows.
DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 86_400)
)  # fmt: skip
MOST_TRIES: Final = len(DELAYS) + 1
# An event that failed so often no longer holds those after it.
HOLDING_TRIES: Final = 3
SPREAD: Final = 0.2
LONGEST_WAIT: Final = timedelta(hours=24)
# The circuit breaker: so many failures in a row, whichever events', and the endpoint is left alone for a while.
BREAKS_AT: Final = 10
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
# What a receiver may ask for all its events by Retry-After.
LONGEST_REQUESTED_PAUSE: Final = timedelta(hours=1)
DISABLED_AFTER: Final = timedelta(days=5)
# Failures further apart than this are not one long failure: nothing was tried in between.
SAME_FAILURE_WITHIN: Final = timedelta(hours=48)


def next_attempt(*, tries: int, now: datetime, spread: float, retry_after: timedelta | None = None) -> datetime | None:
    """Return when the attempt after `tries` failed ones may begin, not before Retry-After; None after the last."""
    if tries >= MOST_TRIES:
        return None
    wait = DELAYS[tries - 1] * (1 + SPREAD * spread)
    return now + max(wait, retry_after or timedelta())


def pause(*, failures: int, spread: float) -> timedelta:
    """Return how long an endpoint is left alone after so many failures in a row; nothing below ten, then 5 s to 5 min."""
    if failures < BREAKS_AT:
        return timedelta()
    doublings = min(failures - BREAKS_AT, 6)
    longer: timedelta = SHORTEST_PAUSE * int(2**doublings)
    return min(longer, LONGEST_PAUSE) * (1 + SPREAD * spread)


def retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Read a Retry-After (RFC 9110, 10.2.3): seconds or a date; at most 24 hours. None for what is neither, or past."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), int(LONGEST_WAIT.total_seconds())))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None
