"""irisx.local.ports"""

import socket

from irisx.local.ports import Ports, free_port, hold


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    return listener


class TestChoosing:
    def test_takes_the_preferred_port(self) -> None:
        port = free_port()
        assert Ports({}).choose("web", preferred=port) == port

    def test_goes_around_a_busy_port(self) -> None:
        port = free_port()
        with listen(port):
            assert Ports({}).choose("web", preferred=port) > port

    def test_goes_around_a_port_busy_only_on_ipv6(self) -> None:
        port = free_port()
        with listen(port, "::1"):
            assert Ports({}).choose("web", preferred=port) > port

    def test_comes_back_to_the_port_of_last_time(self) -> None:
        remembered = free_port()
        assert Ports({"web": remembered}).choose("web", preferred=free_port()) == remembered

    def test_goes_around_the_port_of_last_time_when_it_is_busy(self) -> None:
        remembered, preferred = free_port(), free_port()
        with listen(remembered):
            assert Ports({"web": remembered}).choose("web", preferred=preferred) >= preferred

    def test_never_gives_one_port_to_two_programs(self) -> None:
        ports, port = Ports({}), free_port()
        assert ports.choose("web", preferred=port) != ports.choose("customer", preferred=port)


class TestHolding:
    def test_keeps_others_out_until_released(self) -> None:
        ports = Ports({})
        port = ports.choose("web", preferred=free_port())
        assert hold(port) is None
        ports.release("web")
        listen(port).close()

    def test_releases_every_port_at_the_end(self) -> None:
        ports = Ports({})
        chosen = [ports.choose(name, preferred=free_port()) for name in ("web", "customer")]
        ports.release_all()
        for port in chosen:
            listen(port).close()
