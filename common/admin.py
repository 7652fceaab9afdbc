"""Bases of the admin's pages."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin


class HouseAdmin(ModelAdmin):  # type: ignore[misc] # unfold is untyped
    """A model's pages: quick lists, no count of whole tables."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    list_filter_submit = True


class EstimatedPaginator(Paginator):  # type: ignore[type-arg] # generic only in the stubs
    """Page through a ledger without COUNT(*): PostgreSQL's own estimate, once the list is not filtered."""

    @cached_property
    def count(self) -> int:
        query = cast("QuerySet[Model]", self.object_list).query
        if query.where:
            return super().count
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(reltuples)::bigint FROM pg_class WHERE oid IN "
                           "(SELECT relid FROM pg_partition_tree(to_regclass(%s))"
                           " UNION SELECT to_regclass(%s)) AND relkind = 'r'",
                           [cast("type[Model]", query.model)._meta.db_table] * 2)  # fmt: skip
            estimate = int(cursor.fetchone()[0] or 0)
        return estimate if estimate > 10_000 else super().count


class LedgerAdmin(HouseAdmin):
    """A ledger: looked at, never changed."""

    paginator = EstimatedPaginator

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
