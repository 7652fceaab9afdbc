"""The archive: `manifest.json`, `data/<table>.jsonl` and `files/…`, in a ZIP that takes more than 4 GiB."""

import gzip
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.files.storage import default_storage

from accounts.exports.contents import files_of, left_out, withheld
from accounts.exports.models import TenantExport
from accounts.tenancy import tenant_scope
from common.ids import encode
from common.timestamps import rfc3339

logger = logging.getLogger(__name__)
FORMAT = 1
READABLE = 0o644 << 16


@contextmanager
def write_archive(export: TenantExport, *, on_entry: Callable[[], None]) -> Iterator[IO[bytes]]:
    """Write the archive into a temporary file, open at its beginning; `on_entry` is called before each entry."""
    with TemporaryFile() as packed:
        with ZipFile(packed, "w") as archive:
            counts = {}
            for table, parts in groupby(export.parts, key=lambda part: part[0]):
                on_entry()
                counts[table] = _put_table(archive, table, [(key, rows) for _, key, rows in parts], export)
            files = _put_files(archive, export, on_entry)
            manifest = {
                "format": FORMAT,
                "company": encode("tn", export.tenant_id),
                "begun_at": rfc3339(export.created_at),
                "rows": counts,
                "files": files,
                "withheld": {table: list(columns) for table, columns in withheld().items()},
                "left_out": left_out(),
            }
            with archive.open(_entry("manifest.json", export), "w") as entry:
                entry.write(json.dumps(manifest, indent=2).encode())
        packed.seek(0)
        yield packed


def _put_table(archive: ZipFile, table: str, parts: list[tuple[str, int]], export: TenantExport) -> int:
    with archive.open(_entry(f"data/{table}.jsonl", export), "w", force_zip64=True) as entry:
        for key, _ in parts:
            with default_storage.open(key, "rb") as stored, gzip.open(stored) as lines:
                shutil.copyfileobj(lines, entry)
    return sum(rows for _, rows in parts)


def _put_files(archive: ZipFile, export: TenantExport, on_entry: Callable[[], None]) -> int:
    """Put the files in; one deleted since, by retention or a visitor's erasure, is left out."""
    count = 0
    with tenant_scope(export.tenant_id):
        files = list(files_of(export.tenant_id))
    for file in files:
        on_entry()
        try:
            with tenant_scope(export.tenant_id):
                content = file.open()
        except FileNotFoundError:
            logger.info("a file was gone before it was exported")
            continue
        with (
            content,
            archive.open(_entry(f"files/{file.path}", export, is_packed=True), "w", force_zip64=True) as entry,
        ):
            shutil.copyfileobj(content, entry)
        count += 1
    return count


def _entry(path: str, export: TenantExport, *, is_packed: bool = False) -> ZipInfo:
    moment = export.created_at.timetuple()
    entry = ZipInfo(path, moment[:6])
    entry.compress_type = ZIP_STORED if is_packed else ZIP_DEFLATED
    entry.external_attr = READABLE
    return entry
