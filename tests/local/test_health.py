"""irisx.local.health"""

from irisx.local.health import Health, ask, interpret
from irisx.local.ports import free_port


def test_names_the_parts_that_are_not_well() -> None:
    body = {
        "status": "degraded",
        "version": "1",
        "database": {"status": "connected"},
        "freeswitch": {"status": "disconnected"},
        "ivr": {"activeSessions": 0},
        "migrations": {"usage.0001_initial": "applied"},
        "workers": {"status": "stale"},
    }
    assert interpret(body) == Health(status="degraded", reasons=("freeswitch is disconnected", "workers is stale"))


def test_nobody_there_is_unreachable() -> None:
    health = ask(f"http://127.0.0.1:{free_port()}")
    assert health.status == "unreachable"
