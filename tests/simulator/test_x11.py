"""A display that is there, and one that goes; the display is a virtual one of the test's own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator.pointer import open_pointer
from psychopy_neon.simulator.screens import open_screen
from psychopy_neon.simulator.x11 import X11Display

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("Xvfb") is None, reason="needs a virtual X display"
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[bytes]"]:
    reading, writing = os.pipe()
    arguments = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    process = subprocess.Popen(arguments, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        # The server writes the number of its display when it is ready, or closes the pipe when it fails.
        monkeypatch.setenv("DISPLAY", f":{pipe.readline().strip()}")
    yield process
    process.kill()
    process.wait(20)


def test_size_and_pointer(server: "subprocess.Popen[bytes]") -> None:
    display = X11Display()
    assert display.is_alive()
    assert display.size_px == (640, 480)
    x, y = display.pointer()
    assert 0 <= x < 640
    assert 0 <= y < 480
    assert open_pointer((1280, 960)).at(0.0) == ((x + 0.5) * 2, (y + 0.5) * 2)
    display.close()
    display.close()
    assert not display.is_alive()


def test_a_display_that_goes_is_noticed(server: "subprocess.Popen[bytes]") -> None:
    display, screen = X11Display(), open_screen("screen", 30.0)
    assert screen.read().shape == (480, 640, 4)
    server.kill()
    server.wait(20)
    assert not display.is_alive()
    with pytest.raises(LinkError, match="X display"):
        display.pointer()
    with pytest.raises(LinkError, match="X display"):
        screen.read()
    screen.close()
    display.close()


def test_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(LinkError, match="DISPLAY"):
        X11Display()
    with pytest.raises(ConfigurationError, match="mouse"):
        open_pointer((640, 480))
