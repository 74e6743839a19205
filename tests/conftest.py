"""Shared by every test: no thread of ours may outlive the test that started it, and none writes into the home."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

END_LIMIT_S = 20.0
EVERY_PYTHON: dict[str, tuple[str, ...]] = {
    "conformance": (),
    "device": ("test_neon.py", "test_outbox.py", "test_rest.py", "test_template.py"),
    "simulator": ("test_http.py", "test_neon.py", "test_settings.py"),
    "screen": ("test_layout.py", "test_mapper.py", "test_tag_levels.py", "test_timeline.py"),
}
"""Of folders whose tests take their time with sockets or pictures: what is run with each Python all the same."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name not in EVERY_PYTHON.get(item.path.parent.name, (item.path.name,)):
            item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    """Fails a test after which a thread named ``psychopy-neon:*`` still runs; its sockets would be open, too."""
    before = set(threading.enumerate())
    yield
    ours = [each for each in set(threading.enumerate()) - before if each.name.startswith("psychopy-neon")]
    end_s = time.monotonic() + END_LIMIT_S
    for thread in ours:
        thread.join(max(0.0, end_s - time.monotonic()))
    left = sorted(thread.name for thread in ours if thread.is_alive())
    assert not left, f"still running after the test: {', '.join(left)}"


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Journals of which no path is given go here, those of child processes too."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder
