"""The task queue: Celery on Valkey. Every schedule of the platform stands here."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")

app = Celery("irisx")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "heartbeat": {"task": "irisx.tasks.heartbeat", "schedule": 5.0, "options": {"expires": 10}},
    "forget old idempotency keys": {"task": "irisx.tasks.forget_idempotency_keys", "schedule": 3600.0},
    "forget stale typing": {"task": "chat.tasks.forget_stale_typing", "schedule": 60.0, "options": {"expires": 60}},
    "tend conversations": {
        "task": "chat.tasks.tend_conversations",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "mail unread answers": {"task": "chat.tasks.mail_unread", "schedule": 30.0, "options": {"expires": 30}},
    "compare agents' chats": {"task": "chat.tasks.compare_active_chats", "schedule": crontab(hour=3, minute=17)},
    "agents who are gone": {"task": "accounts.tasks.declare_gone", "schedule": 10.0, "options": {"expires": 10}},
    "send letters": {"task": "accounts.tasks.send_letters", "schedule": 3.0, "options": {"expires": 3}},
    "forget sign-ins": {"task": "accounts.tasks.forget_sign_ins", "schedule": crontab(hour=2, minute=23)},
    "forget webhooks": {"task": "accounts.tasks.forget_webhooks", "schedule": crontab(hour=3, minute=3)},
    "send invitations": {"task": "accounts.tasks.send_invitations", "schedule": 5.0, "options": {"expires": 5}},
    "sweep files": {"task": "chat.tasks.sweep_files", "schedule": 600.0, "options": {"expires": 600}},
    "forget the old": {"task": "chat.tasks.forget_the_old", "schedule": crontab(hour=2, minute=41)},
    "make archives of companies": {"task": "accounts.tasks.make_exports", "schedule": 10.0, "options": {"expires": 10}},
    "forget archives of companies": {"task": "accounts.tasks.forget_exports", "schedule": crontab(hour=2, minute=17)},
    "erase closed companies": {"task": "accounts.tasks.erase_closed", "schedule": crontab(hour=1, minute=23)},
    "fold usage": {"task": "usage.tasks.fold_deltas", "schedule": 10.0, "options": {"expires": 10}},
    "work off uploads": {"task": "usage.tasks.work_off_uploads", "schedule": 5.0, "options": {"expires": 5}},
    "record API requests": {"task": "usage.tasks.record_api_requests", "schedule": 60.0, "options": {"expires": 60}},
    "forget old usage keys": {"task": "usage.tasks.forget_keys", "schedule": crontab(hour=3, minute=41)},
    "roll billing periods": {"task": "usage.tasks.roll_periods", "schedule": 300.0, "options": {"expires": 300}},
    "watch thresholds": {"task": "usage.tasks.watch_thresholds", "schedule": 60.0, "options": {"expires": 60}},
    "copy limits": {"task": "usage.tasks.copy_limits", "schedule": 60.0, "options": {"expires": 60}},
    "expire credit": {"task": "usage.tasks.expire_credit", "schedule": 600.0, "options": {"expires": 600}},
    "usage partitions ahead": {"task": "usage.tasks.make_partitions", "schedule": 86_400.0},
    "work off call records": {"task": "telephony.tasks.work_off_reports", "schedule": 2.0, "options": {"expires": 2}},
    "forget call records": {"task": "telephony.tasks.forget_reports", "schedule": crontab(hour=2, minute=53)},
    "end calls of lost switches": {
        "task": "telephony.tasks.reap_calls",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tend call queues": {"task": "telephony.tasks.tend_queues", "schedule": 2.0, "options": {"expires": 2}},
    "run invoices": {"task": "billing.tasks.run_invoices", "schedule": 300.0, "options": {"expires": 300}},
    "make exports": {"task": "billing.tasks.make_exports", "schedule": 5.0, "options": {"expires": 5}},
    "forget exports": {"task": "billing.tasks.forget_exports", "schedule": crontab(hour=2, minute=11)},
    "send mail about money": {"task": "billing.tasks.send_mail", "schedule": 30.0, "options": {"expires": 30}},
    "remind of what is owed": {
        "task": "billing.tasks.remind",
        "schedule": crontab(minute=7),
        "options": {"expires": 3600},
    },
    "reconcile": {"task": "billing.tasks.reconcile", "schedule": crontab(hour=4, minute=23)},
    "draft invoices": {"task": "billing.tasks.draft_open_periods", "schedule": 3600.0},
}
