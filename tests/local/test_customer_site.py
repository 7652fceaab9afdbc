"""irisx.local.customer_site"""

import http.client
import threading
from collections.abc import Iterator

import pytest

from irisx.local.customer_site import PAGES, CustomerSite

IRISX = "http://127.0.0.1:8000"


@pytest.fixture
def site() -> Iterator[CustomerSite]:
    with CustomerSite(port=0, base_url=IRISX, widget_key="cw_1") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(site: CustomerSite, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", site.server_port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


@pytest.mark.parametrize("path", PAGES)
def test_every_page_embeds_the_widget_by_one_script_tag(site: CustomerSite, path: str) -> None:
    answer, body = get(site, path)
    assert answer.status == 200
    assert body.count("<script") == 1
    assert f'<script async src="{IRISX}/widget.js" data-widget-key="cw_1"></script>' in body


def test_the_policy_lets_in_nothing_but_the_shop_and_irisx(site: CustomerSite) -> None:
    answer, _ = get(site, "/")
    assert answer.headers["Content-Security-Policy"] == (
        f"default-src 'none'; script-src {IRISX}; frame-src {IRISX}; connect-src {IRISX}; img-src 'self' {IRISX}; "
        "style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def test_an_unknown_address_is_404_with_the_widget(site: CustomerSite) -> None:
    answer, body = get(site, "/nowhere?x=<script>")
    assert answer.status == 404
    assert body.count("<script") == 1


def test_head_answers_without_a_body(site: CustomerSite) -> None:
    answer, body = get(site, "/bikes", "HEAD")
    assert (answer.status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0
