"""For every test: no network, the modules beside this file importable, and real scans only where they are."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

REAL_DATA = Path(
    os.environ.get("MRI_SIJ_REAL_DATA") or Path(__file__).parent.parent / ".." / "shared" / "data"
).resolve()


class NetworkUsedError(AssertionError):
    """A test, or what it tests, tried to reach the network."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only sockets of this machine connect: workers of a local cluster talk over the loopback."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise NetworkUsedError(f"a connection to {host} was tried")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `real`, saying why, where the scans are not."""
    if REAL_DATA.is_dir():
        return
    reason = "no real scans: set MRI_SIJ_REAL_DATA or keep them in ../shared/data"
    for item in items:
        if "real" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real scans (see the `real` marker)."""
    return REAL_DATA
