"""Activates all plugins as PsychoPy's apps do, and writes as JSON, to a file, what they then have of ours.

A process of its own, since it is about what is imported by whom.
"""

from __future__ import annotations

import builtins
import json
import sys
import warnings
from pathlib import Path

from psychopy import experiment, plugins
from psychopy.iohub import devices  # what a plugin's entry points are put into is PsychoPy's own to import
from psychopy.liaison import LiaisonJSONEncoder

HEAVY = ("av", "cv2", "requests", "zeroconf", "websocket", "aiohttp", "psychopy_neon.device", "psychopy.visual")
ours_imported: set[str] = set()
really_import = builtins.__import__


def noting_import(name: str, globals: dict | None = None, *args: object, **words: object) -> object:
    """Also what is loaded already is noted: whether PsychoPy itself loads it differs between its versions."""
    if globals is not None and str(globals.get("__name__")).startswith("psychopy_neon"):
        ours_imported.add(name)
    return really_import(name, globals, *args, **words)


def heavy_of(names: set[str]) -> list[str]:
    return sorted(each for each in names if any(each == heavy or each.startswith(f"{heavy}.") for heavy in HEAVY))


def profiles() -> dict[str, dict]:
    """Params of ours by component, and those of the experiment's settings, as Studio gets them."""
    elements = experiment.getElementProfiles()
    json.dumps([elements, experiment.getLoopProfiles()], cls=LiaisonJSONEncoder)
    ours = {name: each["params"] for name, each in elements.items() if each["plugin"] == "psychopy-neon"}
    return {**ours, "settings": experiment.Experiment().settings.getTemplateJSON()["params"]}


def main() -> None:
    before = set(sys.modules)
    builtins.__import__ = noting_import
    plugins.activatePlugins()
    builtins.__import__ = really_import
    tracker = experiment.Experiment().settings.params["eyetracker"]
    components = experiment.getAllComponents(fetchIcons=False)
    found = {
        "heavy": heavy_of(set(sys.modules) - before) + heavy_of(ours_imported),
        "plugins": {which: plugins.listPlugins(which) for which in ("loaded", "failed")},
        "components": [name for name, each in components.items() if getattr(each, "plugin", "") == "psychopy-neon"],
        "trackers": {"keys": tracker.allowedVals, "labels": tracker.allowedLabels},
        "hub": devices.psychopy_neon.__name__,
        "profiles": profiles() if hasattr(experiment, "getElementProfiles") else None,
    }
    Path(sys.argv[1]).write_text(json.dumps(found, cls=LiaisonJSONEncoder), encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what PsychoPy's own imports warn of is not ours to mend
    main()
