"""Ids of requests: in the answer, in the problem, in the log."""

import logging
from typing import Any

import pytest

from common.request_ids import RequestIdFilter, current, under
from tests import factories


def test_the_id_a_request_brings_is_answered(acme: factories.Company, api: Any) -> None:
    answer = api(acme.api_key).get("/v1/me", headers={"X-Request-Id": "trace-1"})
    assert answer["X-Request-Id"] == "trace-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "a\x00"])
def test_what_may_be_no_id_is_replaced(db: None, api: Any, given: str) -> None:
    id = api().get("/livez", headers={"X-Request-Id": given})["X-Request-Id"]
    assert id != given
    assert len(id) == 32


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/me"])
def test_a_problem_names_it(db: None, api: Any, path: str) -> None:
    answer = api().get(path, headers={"X-Request-Id": "trace-2"})
    assert (answer.json()["request_id"], answer["X-Request-Id"]) == ("trace-2", "trace-2")


def test_each_line_of_the_log_names_it() -> None:
    record = logging.LogRecord("irisx", logging.INFO, "", 0, "", (), None)
    with under("trace-3"):
        RequestIdFilter().filter(record)
    assert record.request_id == "trace-3"
    RequestIdFilter().filter(record)
    assert (record.request_id, current()) == ("-", "")
