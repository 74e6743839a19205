"""Seconds that ``activatePlugins()`` takes: ``builder_activation.py DISTRIBUTION [FOLDER]``.

With a folder, a plugin that declares the same entry points and loads nothing takes the distribution's place: of two
with one name, PsychoPy keeps the entry points that it finds last, and the folder is the last of all.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import EntryPoint, distribution
from pathlib import Path

from psychopy import plugins

STUB = "stub_of_a_plugin"


def main(name: str, folder: Path | None) -> dict[str, object]:
    points = [each for each in distribution(name).entry_points if each.group.startswith("psychopy")]
    packages = {each.module.partition(".")[0] for each in points}
    if folder is not None:
        make_stub(name, points, folder)
        sys.path.append(str(folder))
    begin_s = time.perf_counter()
    plugins.activatePlugins()
    taken_s = time.perf_counter() - begin_s
    return {"taken_s": taken_s, "loaded": sorted(packages & sys.modules.keys()), "stub": STUB in sys.modules}


def make_stub(name: str, points: list[EntryPoint], folder: Path) -> None:
    (folder / f"{STUB}.py").write_text("class Stub:\n    pass\n", encoding="utf-8")
    metadata = folder / f"{name.replace('-', '_')}-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n", encoding="utf-8")
    groups = {each.group: [point.name for point in points if point.group == each.group] for each in points}
    text = "".join(f"[{group}]\n" + "".join(f"{each} = {STUB}:Stub\n" for each in groups[group]) for group in groups)
    (metadata / "entry_points.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)))
