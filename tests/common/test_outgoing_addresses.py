"""The guarded client: which addresses customers may give us."""

import pytest
from pytest_django import Settings

from common import outgoing
from common.errors import Invalid
from irisx import values


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.IRISX_DEMO = False


PRIVATE = [
    # loopback, this network, private, carrier-grade NAT, link-local (clouds' metadata), protocol assignments
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "169.254.169.254", "192.0.0.8", "192.0.0.170", "192.0.0.192",
    # documentation, benchmarking, relays, AS112, multicast, reserved, broadcast, Azure's host
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1", "192.52.193.1",
    "192.31.196.1", "192.175.48.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    # IPv6: loopback, unspecified, link-local, site-local, unique local, multicast, discard, segment routing
    "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1", "fe80::1%eth0",
    # documentation, benchmarking, ORCHID, Teredo, 6to4, even where what they wrap is public
    "2001:db8::1", "3fff::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2002:7f00:1::", "2002:a00:1::", "2002:808:808::1", "2620:4f:8000::1",
    # IPv4 in IPv6: mapped, compatible, translated, NAT64, NAT64's local-use prefix
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::808:808", "64:ff9b:1::7f00:1",
    # no addresses at all
    "", "localhost", "127.1", "0x7f000001",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_refuses_an_address_that_is_not_public(address: str) -> None:
    with pytest.raises(Invalid, match="not a public address"):
        outgoing.check_address(address)


PUBLIC = ["8.8.8.8", "100.63.255.255", "172.32.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", [*PUBLIC, "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_calls_a_public_address(address: str) -> None:
    outgoing.check_address(address)


def test_refuses_what_the_operator_names(settings: Settings) -> None:
    settings.IRISX_OUTGOING_REFUSED = values.networks("8.8.8.0/24, 2a00:1450::/32")
    outgoing.check_address("8.8.4.4")
    for address in ("8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        with pytest.raises(Invalid, match="not a public address"):
            outgoing.check_address(address)


def test_a_network_that_is_none_stops_the_start() -> None:
    with pytest.raises(ValueError, match="networks separated by commas"):
        values.networks("10.0.0.0/8,everything")


SHAPELESS = [
    "", "x", "//example.com", "https://", "https:///path", "https:example.com", "http://example.com/", "ftp://example.com/",
    "file:///etc/passwd", "gopher://example.com/", "HTTP://EXAMPLE.COM/", "javascript:alert(1)",
    # who signs in
    "https://user:pw@example.com/", "https://user@example.com/", "https://@example.com/", "https://8.8.8.8@127.0.0.1/",
    # ports
    "https://example.com:0/", "https://example.com:22/", "https://example.com:25/", "https://example.com:80/",
    "https://example.com:1023/", "https://example.com:65536/", "https://example.com:-1/", "https://example.com:x/",
    # what parsers read differently
    "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://example.com\t/", "https://example.com/\r\nX: y",
    "\nhttps://example.com/", "https://example.com/\x00", "https://[::1", "https://[example.com]/", "https://[fe80::1%25eth0]/",
    # numbers a resolver takes for 127.0.0.1
    "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/",
    "https://0177.0.0.1/", "https://127.0.0.0x1/", "https://0/", "https://256.1.1.1/", "https://1.2.3.4.5/",
    # names
    "https://.example.com/", "https://example..com/", "https://-a.example.com/", "https://a-.example.com/",
    "https://" + "a" * 64 + ".example.com/", "https://" + "a." * 127 + "com/", "https://exa%6dple.com/", "https://a_b!c.com/",
    "https://\u2488com/", "https://a\u200bb..com/", "https://" + "x" * 2048,
]  # fmt: skip


@pytest.mark.parametrize("url", SHAPELESS)
def test_refuses_a_url_of_another_shape(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        outgoing.check_url(url, pointer="/endpoint/url")
    assert [(problem.pointer, problem.code) for problem in refused.value.errors] == [
        ("/endpoint/url", "url-not-allowed")
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://10.0.0.1:8443/", "https://169.254.169.254/latest/meta-data", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://127.0.0.1./", "https://\uff11\uff12\uff17.0.0.1/",
        "https://127\u30020\u30020\u30021/", "https://\u2460\u2461\u2466.0.0.1/",
    ],
)  # fmt: skip
def test_refuses_a_private_address_in_a_url_without_looking_anything_up(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        outgoing.check_url(url)
    assert [(problem.pointer, problem.code) for problem in refused.value.errors] == [("/url", "address-not-public")]


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://example.com", ("https", "example.com", 443, "/"), "example.com"),
        ("HTTPS://Example.COM.:443/A?b=c#part", ("https", "example.com", 443, "/A?b=c"), "example.com"),
        ("https://example.com:8443/", ("https", "example.com", 8443, "/"), "example.com:8443"),
        ("https://example.com:/?", ("https", "example.com", 443, "/"), "example.com"),
        ("https://8.8.8.8/x", ("https", "8.8.8.8", 443, "/x"), "8.8.8.8"),
        ("https://[2606:4700:4700:0::1111]:8443/", ("https", "2606:4700:4700::1111", 8443, "/"), "[2606:4700:4700::1111]:8443"),
        ("https://bücher.example/süß?q=é", ("https", "xn--bcher-kva.example", 443, "/s%C3%BC%C3%9F?q=%C3%A9"), None),
        ("https://xn--bcher-kva.example/a%20b", ("https", "xn--bcher-kva.example", 443, "/a%20b"), None),
        ("https://my_bucket.example.com/a//b/../c", ("https", "my_bucket.example.com", 443, "/a//b/../c"), None),
        ("https://0x7f.example.com/", ("https", "0x7f.example.com", 443, "/"), None),
    ],
)  # fmt: skip
def test_reads_a_url(url: str, target: tuple[str, str, int, str], authority: str | None) -> None:
    found = outgoing.target_of(url)
    assert (found.scheme, found.host, found.port, found.path) == target
    assert found.authority == (authority or target[1])


class TestInTheDemo:
    @pytest.fixture(autouse=True)
    def demo(self, production: None, settings: Settings) -> None:
        settings.IRISX_DEMO = True

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:80/", "http://localhost:8001/hook", "http://[::1]/", "https://a.localhost:90/"]
    )
    def test_takes_loopback(self, url: str) -> None:
        outgoing.check_url(url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/", "http://8.8.8.8/", "http://10.0.0.1/", "https://10.0.0.1/", "http://0.0.0.0/",
            "https://169.254.169.254/", "http://127.0.0.1@example.com/", "http://localhost.example.com/", "ftp://localhost/",
            "https://[64:ff9b::7f00:1]/", "https://[::ffff:127.0.0.1]/", "https://example.com:80/",
        ],
    )  # fmt: skip
    def test_takes_nothing_else_that_production_refuses(self, url: str) -> None:
        with pytest.raises(Invalid):
            outgoing.check_url(url)
