"""What PsychoPy lists when this plugin and the official one are installed; JSON, to a file."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

from psychopy import experiment, plugins
from psychopy.iohub import devices

GROUP = "psychopy.experiment.components"
PLUGINS = ("psychopy-neon", "psychopy-eyetracker-pupil-labs")


def main() -> None:
    plugins.activatePlugins()
    tracker = experiment.Experiment().settings.params["eyetracker"]
    listed = experiment.getAllComponents(fetchIcons=False)
    declared = [each for each in entry_points(group=GROUP) if each.dist is not None and each.dist.name in PLUGINS]
    found = {
        "loaded": plugins.listPlugins("loaded"),
        "failed": plugins.listPlugins("failed"),
        "keys": tracker.allowedVals,
        "labels": tracker.allowedLabels,
        "components": [
            {"name": each.name, "dist": each.dist.name, "is_listed": listed.get(each.name) is each.load()}
            for each in declared
        ],
        "hub": devices.psychopy_neon.__name__,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
