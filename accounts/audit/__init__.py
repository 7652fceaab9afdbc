"""The audit log: who did what, when, from where. `record` is its one door."""

from accounts.audit.models import PLATFORM
from accounts.audit.origin import impersonated_by
from accounts.audit.services import SYSTEM, Actor, actor_of, changed, operator, record

__all__ = ["PLATFORM", "SYSTEM", "Actor", "actor_of", "changed", "impersonated_by", "operator", "record"]
