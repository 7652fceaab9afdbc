"""How old and how far ahead events may be on this installation."""

from datetime import datetime, timedelta

from django.conf import settings

from usage.ingest_reading import Window

KEPT_LONGER = timedelta(days=90)


def window_at(now: datetime) -> Window:
    """Return the acceptance window at a moment."""
    return Window.around(
        now, back_days=settings.IRISX_USAGE_BACK_DAYS, ahead_minutes=settings.IRISX_USAGE_AHEAD_MINUTES
    )


def keys_kept_since(now: datetime) -> datetime:
    """Return since when keys are kept: they outlive the window by 90 days, so that no event comes in twice."""
    return now - timedelta(days=settings.IRISX_USAGE_BACK_DAYS) - KEPT_LONGER
