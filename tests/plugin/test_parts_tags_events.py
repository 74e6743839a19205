"""Parts that the run is told of: tags and events."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from psychopy_neon.errors import ConfigurationError

pytestmark = pytest.mark.once


@pytest.fixture
def stage(psychopy: SimpleNamespace, open_window, tmp_path) -> SimpleNamespace:
    """A window, a run, an experiment and the parts; ``make`` is what a script does with one."""
    from fake_run import FakeRun

    from psychopy_neon.plugin.run import parts

    win = open_window((800, 600), units="height")
    run = FakeRun(win)
    exp = psychopy.data.ExperimentHandler(dataFileName=str(tmp_path / "data"), savePickle=False, saveWideText=False)

    def make(part: str, name: str = "thing", **values: object) -> object:
        return getattr(parts, part)(win=win, run=run, exp=exp, name=name, **values)

    return SimpleNamespace(win=win, run=run, exp=exp, make=make)


def test_the_run_knows_tags_as_long_as_they_are_shown(stage: SimpleNamespace, grab) -> None:
    frame = stage.make("TagFramePart", columns=3, rows=2, units="height", tagSize=0.2)
    frame.prepare()
    assert stage.run.tags == []
    frame.reset()
    frame.start()
    assert stage.run.tags == [frame.tool]
    assert stage.win._toDraw == [frame]
    frame.draw()
    assert grab(stage.win)[:3, :3].min() == 255
    frame.end()
    frame.end()
    assert stage.run.tags == []
    assert stage.win._toDraw == []


def test_routines_have_tags_of_their_own(stage: SimpleNamespace) -> None:
    wide = stage.make("TagFramePart", "wide", columns=4, units="height", tagSize=0.15)
    tags = [
        stage.make("TagPart", f"tag{number}", tagId=30 + number, size=0.2, pos=(x, 0), units="height")
        for number, x in enumerate((-0.4, 0.4))
    ]
    for routine, ids in [([wide], set(range(10))), (tags, {30, 31}), ([wide], set(range(10)))]:
        for part in routine:
            part.reset()
            part.start()
        assert {each for tag in stage.run.tags for each in tag.layout.tags} == ids
        for part in routine:
            part.end()
    assert stage.run.tags == []


def test_tags_may_be_kept_until_others_come(stage: SimpleNamespace) -> None:
    kept = [
        stage.make("TagPart", f"tag{number}", tagId=number, size=0.2, pos=(x, 0), units="height", keep=True)
        for number, x in enumerate((-0.4, 0.4))
    ]
    for part in kept:
        part.reset()
        part.start()
    shown = [part.tool for part in kept]
    for part in kept:
        part.setAutoDraw(False)  # as the script does with what its routine drew
        part.end()
    assert stage.run.tags == shown
    assert stage.win._toDraw == kept
    kept[0].setTagId(7)
    kept[0].reset()  # its routine again: until it starts, the old one is there
    kept[0].draw()
    assert stage.run.tags == shown
    kept[0].start()
    assert stage.run.tags == [kept[0].tool]
    assert stage.win._toDraw == [kept[0]]
    kept[0].stop()  # by itself, before the routine ends: nothing is kept
    kept[0].end()
    assert stage.run.tags == stage.win._toDraw == []


def test_a_tag_that_is_set_anew_has_another_layout_in_the_next_repeat_only(stage: SimpleNamespace) -> None:
    tag = stage.make("TagPart", tagId=5, size=0.2, units="height")
    tag.setPos([-0.3, 0.1])
    tag.reset()
    tag.start()
    first = tag.tool
    tag.setPos([-0.3, 0.1])
    tag.setTagId(6)
    tag.setContrast(0.5, log=False)
    assert tag.tool is first
    assert first.contrast == 0.5
    assert stage.run.tags == [first]
    tag.end()
    tag.reset()
    assert set(tag.tool.layout.tags) == {6}
    assert tag.tool.contrast == 0.5
    tag.setTagId(6)
    same = tag.tool
    tag.reset()
    assert tag.tool is same, "nothing has changed"


def test_tags_that_cannot_be_are_told_with_their_component(stage: SimpleNamespace) -> None:
    for part, values, told in (
        ("TagFramePart", {"columns": 0}, r"thing\.columns=0 cannot be used; allowed: a whole number at least 2"),
        ("TagFramePart", {"columns": 60}, r"thing: columns, rows=.* that fit beside each other"),
        ("TagFramePart", {"ids": [1, 2, 2]}, r"thing: ids="),
        ("TagFramePart", {"ids": [587]}, r"thing\.ids=\[587\] cannot be used"),
        ("TagFramePart", {"firstId": 580}, r"thing: "),
        ("TagPart", {"pos": (3, 0)}, r"thing: centre_px="),
        ("TagPart", {"size": 1e-6}, r"thing: "),
        ("TagPart", {"tagId": -1}, r"thing\.tagId=-1 cannot be used"),
        ("TagPart", {"white": -1, "black": 1}, r"thing: black, white="),
    ):
        with pytest.raises(ConfigurationError, match=told):
            stage.make(part, units="height", **values).prepare()


def test_an_event_has_the_time_of_its_flip(stage: SimpleNamespace, psychopy: SimpleNamespace, judge) -> None:
    mark = stage.make("EventPart", "mark")
    mark.reset()
    mark.start("cue ü")
    assert stage.run.neon.sent == []
    stage.win.flip()
    mark.stop("cue off")
    mark.stop("cue off")
    stage.win.flip()
    mark.end()
    row = stage.exp.thisEntry
    assert (row["mark.event"], row["mark.stop_event"]) == ("cue ü", "cue off")
    for (name, host_ns), column in zip(stage.run.neon.sent, ("mark.flip_time", "mark.stop_flip_time"), strict=True):
        assert judge.is_fair(host_ns, row[column]), name
    assert stage.run.neon.names == ["cue ü", "cue off"]


def test_an_event_that_stops_with_its_routine_is_in_the_right_row(stage: SimpleNamespace) -> None:
    mark = stage.make("EventPart", "mark")
    for word in ("one", "two"):
        mark.reset()
        mark.start(word)
        stage.win.flip()
        mark.stop(f"{word} off")
        mark.end()
        stage.exp.nextEntry()
    stage.win.flip()
    assert stage.run.neon.names == ["one", "one off", "two", "two off"]
    rows = stage.exp.entries
    assert [row["mark.stop_event"] for row in rows] == ["one off", "two off"]
    times = [row[f"mark.{what}"] for row in rows for what in ("flip_time", "stop_flip_time")]
    assert times == sorted(times)
    assert times[1] == times[2], "the flip that ended one began two"


def test_an_event_that_did_not_start_does_not_stop(stage: SimpleNamespace) -> None:
    mark = stage.make("EventPart", "mark")
    mark.reset()
    mark.stop("off")
    stage.win.flip()
    mark.end()
    assert stage.run.neon.sent == []
    assert stage.exp.thisEntry == {"mark.event": None}


def test_a_name_that_is_no_text_ends_no_experiment(stage: SimpleNamespace) -> None:
    mark = stage.make("EventPart", "mark")
    for name in (None, "", 3, True):
        mark.reset()
        mark.start(name)
        stage.win.flip()
        mark.end()
    assert stage.run.neon.names == ["3", "True"]
