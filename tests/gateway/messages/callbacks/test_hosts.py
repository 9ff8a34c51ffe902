"""What a process remembers of the hosts that it calls back."""

from gateway.messages.callbacks.hosts import KNOWN, Hosts


def test_hosts_that_nobody_calls_are_forgotten() -> None:
    """Callers name the hosts, and may name another one in each message."""
    hosts = Hosts()
    busy = hosts.of("https://busy.example/1")
    busy.under_way = 1
    for number in range(10 * KNOWN):
        hosts.of(f"https://host-{number}.example/")
    assert len(hosts.hosts) <= KNOWN
    assert hosts.of("https://busy.example/2") is busy
