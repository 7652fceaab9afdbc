"""Making archives, and forgetting them."""

import logging

from celery import shared_task
from django.utils import timezone

from accounts.exports import services
from common.errors import WrongState

logger = logging.getLogger(__name__)


@shared_task(name="accounts.tasks.make_exports")
def make_exports(**kwargs: object) -> None:
    """Make the archives that wait, and go on with those a worker died over."""
    for tenant_id, export_id in services.waiting_exports(now=timezone.now()):
        try:
            services.make_archive(tenant_id=tenant_id, export_id=export_id, clock=timezone.now)
        except WrongState:
            logger.info("another worker went on with export %s", export_id)
        except Exception:
            logger.exception("export %s could not be made", export_id)
            services.fail(tenant_id=tenant_id, export_id=export_id, now=timezone.now())


@shared_task(name="accounts.tasks.forget_exports")
def forget_exports(**kwargs: object) -> None:
    """Delete archives that have expired."""
    services.forget(now=timezone.now())
