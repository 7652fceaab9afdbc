"""The task queue: Celery on Valkey. Every schedule of the platform stands here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")

app = Celery("irisx")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "heartbeat": {"task": "irisx.tasks.heartbeat", "schedule": 5.0, "options": {"expires": 10}},
    "forget old idempotency keys": {"task": "irisx.tasks.forget_idempotency_keys", "schedule": 3600.0},
    "forget stale typing": {"task": "chat.tasks.forget_stale_typing", "schedule": 60.0, "options": {"expires": 60}},
    "fold usage": {"task": "usage.tasks.fold_deltas", "schedule": 10.0, "options": {"expires": 10}},
    "roll billing periods": {"task": "usage.tasks.roll_periods", "schedule": 300.0, "options": {"expires": 300}},
    "usage partitions ahead": {"task": "usage.tasks.make_partitions", "schedule": 86_400.0},
    "draft invoices": {"task": "billing.tasks.draft_open_periods", "schedule": 3600.0},
}
