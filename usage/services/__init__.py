"""What usage does: record, fold, subscribe, move from period to period."""

from usage.services.auditing import Actor
from usage.services.balances import Balance, refresh_balance
from usage.services.closing import How, check_period, rebuild_sums, unpark_period
from usage.services.credits import burn, burned, expire_credit, grant
from usage.services.dedup import BATCH as FORGET_BATCH
from usage.services.dedup import forget_keys
from usage.services.entitling import copy_limits, end_entitlement, entitle
from usage.services.folding import BATCH as FOLD_BATCH
from usage.services.folding import fold_deltas
from usage.services.holds import Hold, extend_hold, hold, release_hold, settle_hold
from usage.services.partitions import make_partitions
from usage.services.periods import AHEAD as ROLL_AHEAD
from usage.services.periods import close_period, open_next_period, roll_periods
from usage.services.quotas import Quota, consume, release
from usage.services.recording import Receipt, record_usage
from usage.services.subscriptions import (
    advance_subscription,
    cancel_subscription,
    change_plan,
    preview_change,
    start_subscription,
)
from usage.services.thresholds import reset_thresholds, set_thresholds, watch
from usage.services.uploading import (
    chunks_of,
    fail_upload,
    finish_upload,
    lease_upload,
    take_chunk,
    waiting_uploads,
)

__all__ = [
    "FOLD_BATCH",
    "FORGET_BATCH",
    "ROLL_AHEAD",
    "Actor",
    "Balance",
    "Hold",
    "How",
    "Quota",
    "Receipt",
    "advance_subscription",
    "burn",
    "burned",
    "cancel_subscription",
    "change_plan",
    "check_period",
    "chunks_of",
    "close_period",
    "consume",
    "copy_limits",
    "end_entitlement",
    "entitle",
    "expire_credit",
    "extend_hold",
    "fail_upload",
    "finish_upload",
    "fold_deltas",
    "forget_keys",
    "grant",
    "hold",
    "lease_upload",
    "make_partitions",
    "open_next_period",
    "preview_change",
    "rebuild_sums",
    "record_usage",
    "refresh_balance",
    "release",
    "release_hold",
    "reset_thresholds",
    "roll_periods",
    "set_thresholds",
    "settle_hold",
    "start_subscription",
    "take_chunk",
    "unpark_period",
    "waiting_uploads",
    "watch",
]
