"""Texts on the window, from whatever script flips it; and the exit code of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def win(open_window: Callable[..., object]) -> object:
    return open_window((320, 240), color="grey")


@pytest.fixture
def monitor(win: object) -> object:
    from psychopy_neon.plugin.run.monitor import Monitor

    flips: list[int] = []
    monitor = Monitor(win, lambda: flips.append(1))
    monitor.flips = flips
    monitor.open()
    return monitor


@pytest.fixture
def press(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let this key be pressed at the next look."""
    from psychopy import event

    def press(key: str) -> None:
        monkeypatch.setattr(event, "getKeys", lambda keyList: [key] if key in keyList else [])  # noqa: N803

    return press


CHOICES = {"space": ("go on", "on"), "escape": ("end", "off")}


def test_it_is_asked_at_every_flip_and_nobody_takes_it_out(monitor: object, win: object) -> None:
    win.flip()
    win.clearAutoDraw()
    win.flip()
    win.stashAutoDraw()
    win.flip()
    win.retrieveAutoDraw()
    win.flip()
    assert len(monitor.flips) == 4
    assert win._toDraw.count(monitor) == 1
    monitor.close()
    monitor.close()
    assert monitor not in win._toDraw


def test_the_key_decides(monitor: object, press: Callable[[str], None]) -> None:
    press("escape")
    assert monitor.ask("really?", CHOICES, 20.0, None) == "off"


def test_nobody_is_there(monitor: object) -> None:
    assert monitor.ask("really?", CHOICES, 0.1, "off") == "off"


def test_a_question_that_settles_itself(monitor: object) -> None:
    assert monitor.ask("really?", CHOICES, 20.0, "off", isSettled=lambda: True) is None


def test_what_waits_for_the_scripts_flip_does_not_come_with_a_question(monitor: object, win: object) -> None:
    shown: list[str] = []
    win.callOnFlip(shown.append, "stimulus")
    monitor.tell("trouble", 0.1)
    assert shown == []
    win.flip()
    assert shown == ["stimulus"]


def test_a_question_asked_in_the_middle_of_a_flip(open_window: Callable[..., object]) -> None:
    from psychopy_neon.plugin.run.monitor import Monitor

    win = open_window((320, 240))
    answers: list[str] = []

    def on_flip() -> None:
        if not answers:
            answers.append(monitor.ask("really?", CHOICES, 0.1, "off"))

    monitor = Monitor(win, on_flip)
    monitor.open()
    shown: list[str] = []
    win.callOnFlip(shown.append, "stimulus")
    win.flip()
    assert (answers, shown) == (["off"], ["stimulus"])


def test_a_page_and_a_mark_can_be_seen(monitor: object, win: object, grab: Callable[[object], np.ndarray]) -> None:
    pictures: list[np.ndarray] = []

    def look() -> bool:
        monitor.draw()
        pictures.append(grab(win))
        return True

    monitor.ask("a text", CHOICES, 20.0, None, look)
    assert pictures[0][0, 0].tolist() == [0, 0, 0]
    assert (pictures[0] > 200).any()
    monitor.mark("a line")
    win.flip()
    monitor.draw()
    picture = grab(win)
    assert (picture > 200).any()
    assert picture[0, 0].tolist() != [0, 0, 0]


@pytest.fixture
def exit_code(psychopy: SimpleNamespace) -> object:
    from psychopy_neon.plugin.run.ending import ExitCode

    calls: list[str] = []
    code = ExitCode(lambda: calls.append("end"))
    code.calls = calls
    yield code
    code.restore()


def quit_of(psychopy: SimpleNamespace) -> object:
    with pytest.raises(SystemExit) as end:
        psychopy.core.quit()
    return end.value.code


def test_a_run_without_trouble_ends_as_ever(psychopy: SimpleNamespace, exit_code: object) -> None:
    exit_code.install()
    assert quit_of(psychopy) == 0
    assert exit_code.calls == ["end"]


def test_the_code_that_ended_the_run_is_kept(psychopy: SimpleNamespace, exit_code: object) -> None:
    from psychopy_neon.plugin.run import ending

    exit_code.install()
    exit_code.raiseTo(ending.WITH_TROUBLE)
    exit_code.raiseTo(ending.BROKEN_OFF)
    exit_code.raiseTo(ending.WITH_TROUBLE)
    assert quit_of(psychopy) == ending.BROKEN_OFF


def test_an_error_that_nobody_catches(exit_code: object, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: seen.append(error))
    exit_code.install()
    sys.excepthook(ValueError, ValueError("x"), None)
    exit_code.raiseTo(5)
    sys.excepthook(ValueError, ValueError("x"), None)
    exit_code.raiseTo(4)
    with pytest.raises(SystemExit) as end:
        sys.excepthook(ValueError, ValueError("y"), None)
    assert end.value.code == 4
    assert len(seen) == 3
    assert exit_code.calls == ["end"] * 3


def test_all_is_as_before_afterwards(psychopy: SimpleNamespace, exit_code: object) -> None:
    before = psychopy.core.quit, sys.excepthook
    exit_code.install()
    exit_code.install()
    exit_code.restore()
    exit_code.restore()
    assert (psychopy.core.quit, sys.excepthook) == before
