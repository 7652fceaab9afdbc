"""The audit log as a file: CSV for spreadsheets, JSON Lines for machines."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import orjson

from accounts.audit.models import AuditEntry
from common.formulas import defused
from common.ids import encode
from common.timestamps import rfc3339

PREFIXES = {"user": "us", "operator": "us", "api_key": "ak", "visitor": "vi"}
COLUMNS = (
    "id", "created_at", "actor_kind", "actor_id", "actor_name", "impersonator_id", "impersonator_name", "action", "object_id",
    "changes", "ip_address", "user_agent", "request_id", "sequence", "hash",
)  # fmt: skip


def present_entry(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as the API and the files show it."""
    prefix = PREFIXES.get(entry.actor_kind, "us")
    return {
        "id": encode("au", entry.pk),
        "created_at": rfc3339(entry.created_at),
        "actor": {
            "kind": entry.actor_kind,
            "id": encode(prefix, entry.actor_id) if entry.actor_id else None,
            "name": entry.actor_name,
        },
        "impersonator": (
            {"id": encode("us", entry.impersonator_id), "name": entry.impersonator_name}
            if entry.impersonator_id
            else None
        ),
        "action": entry.action,
        "object_id": entry.object_id or None,
        "changes": entry.changes,
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent or None,
        "request_id": entry.request_id or None,
        "sequence": entry.sequence,
        "hash": bytes(entry.entry_hash).hex() if entry.entry_hash else None,
    }


def as_json_lines(entries: Iterable[AuditEntry]) -> bytes:
    """Return one JSON object a line."""
    return b"".join(orjson.dumps(present_entry(entry)) + b"\n" for entry in entries)


def as_csv(entries: Iterable[AuditEntry]) -> bytes:
    """Return RFC 4180 CSV with a byte order mark, as spreadsheets want it; no cell is run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([defused(cell) for cell in _cells(entry)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cells(entry: AuditEntry) -> Iterable[str]:
    shown = present_entry(entry)
    actor, impersonator = shown["actor"], shown["impersonator"] or {}
    flat = {
        **shown,
        **{f"actor_{name}": actor[name] for name in ("kind", "id", "name")},
        **{f"impersonator_{name}": impersonator.get(name) for name in ("id", "name")},
        "changes": orjson.dumps(entry.changes).decode(),
    }
    return ["" if flat[name] is None else str(flat[name]) for name in COLUMNS]
