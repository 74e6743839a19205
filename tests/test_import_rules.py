"""Who may import whom, and how long a file and a function may be: read from the source, nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "psychopy_neon"
FILE_LINES = 400
BODY_LINES = 40

VOCABULARY = frozenset({"errors", "samples"})
PURE = VOCABULARY | {"wire", "timing", "screen", "contingent", "quality"}
NO_IO = frozenset({"socket", "threading", "time"})
EVERYTHING = PURE | {"device", "session", "plugin", "simulator", "cli"}


@dataclass(frozen=True)
class Rule:
    """What a folder may import; its own modules and the standard library but ``banned`` always."""

    ours: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()


RULES = {
    "__init__": Rule(ours=EVERYTHING - {"plugin", "simulator", "cli"}),
    "__main__": Rule(ours=frozenset({"cli"})),
    "errors": Rule(banned=NO_IO),
    "samples": Rule(libraries=frozenset({"numpy"}), banned=NO_IO),
    "wire": Rule(VOCABULARY, banned=NO_IO | {"random"}),
    "timing": Rule(VOCABULARY, frozenset({"numpy"}), NO_IO | {"random"}),
    "screen": Rule(VOCABULARY, frozenset({"numpy", "cv2"}), NO_IO),
    "contingent": Rule(VOCABULARY, frozenset({"numpy"}), NO_IO),
    "quality": Rule(VOCABULARY, frozenset({"numpy"}), NO_IO),
    "device": Rule(PURE, frozenset({"numpy", "av", "requests", "urllib3", "websocket", "zeroconf"})),
    "session": Rule(
        VOCABULARY | {"timing", "screen", "quality"}, frozenset({"numpy", "pandas", "pyarrow", "matplotlib"})
    ),
    "plugin": Rule(
        PURE - {"wire"} | {"device", "session"}, frozenset({"numpy", "psychopy", "PIL", "pyglet", "gevent"})
    ),
    "simulator": Rule(
        VOCABULARY | {"wire", "timing", "screen", "session"}, frozenset({"numpy", "cv2", "av", "zeroconf", "aiohttp"})
    ),
    "cli": Rule(EVERYTHING, frozenset({"numpy", "av", "cv2", "click", "rich", "pandas", "pyarrow", "matplotlib"})),
}
EXCEPTIONS = {"wire/calibration.py": {"numpy"}, "timing/host_clock.py": {"time"}}

LIGHT = ("plugin/iohub/", "plugin/builder/")
"""PsychoPy loads both at every start, in the Builder too."""
HEAVY = frozenset({"av", "cv2", "requests", "urllib3", "websocket", "zeroconf", "aiohttp", "psychopy_neon.device"})

BLOCKS = (ast.ExceptHandler, ast.match_case)
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def package_of(file: str) -> list[str]:
    return ["psychopy_neon", *Path(file).parts[:-1]]


def names_in(node: ast.stmt, file: str) -> list[str]:
    """Modules that an import statement names, absolute; for ``from a import b`` both ``a`` and ``a.b``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = package_of(file)[: -node.level + 1 or None] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


def all_imports(source: str, file: str) -> set[str]:
    """Wherever they stand: in functions and for the type checker too."""
    return {name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt) for name in names_in(node, file)}


def early_imports(source: str, file: str) -> set[str]:
    """What runs when the module is imported."""

    def walk(statements: list[ast.stmt]) -> Iterator[str]:
        for node in statements:
            yield from names_in(node, file)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for name, value in ast.iter_fields(node):
                if isinstance(value, list) and not (is_for_types and name == "body"):
                    blocks = [each.body if isinstance(each, BLOCKS) else [each] for each in value]
                    yield from walk([stmt for block in blocks for stmt in block if isinstance(stmt, ast.stmt)])

    return set(walk(ast.parse(source).body))


def import_faults(source: str, file: str) -> list[str]:
    key = Path(file).parts[0].removesuffix(".py")
    if key not in RULES:
        return [f"{file}: there is no rule for {key!r}; say in RULES what it may import"]
    rule, allowed, faults = RULES[key], EXCEPTIONS.get(file, set()), []
    for name in sorted(all_imports(source, file)):
        top, _, rest = name.partition(".")
        if top == "psychopy_neon":
            target = rest.partition(".")[0]
            if target and target not in rule.ours | {key} and key != "cli":  # a public name is a way round, too
                faults.append(f"{file}: {key} may not import {name}")
        elif top in sys.stdlib_module_names:
            if top in rule.banned - allowed:
                faults.append(f"{file}: {key} may not import {name}")
        elif top not in rule.libraries | allowed:
            faults.append(f"{file}: {key} may not import {name}")
    return faults


def heavy_imports(file: str, root: Path = PACKAGE) -> list[str]:
    """Import chains from ``file`` to a heavy module, through our own modules."""
    found, seen, waiting = [], {file}, [(file, file)]
    while waiting:
        current, chain = waiting.pop()
        for name in sorted(early_imports((root / current).read_text("utf-8"), current)):
            if any(name == heavy or name.startswith(f"{heavy}.") for heavy in HEAVY):
                found.append(f"{chain} -> {name}")
            elif name.startswith("psychopy_neon."):
                for next_file in files_of(name, root) - seen:
                    seen.add(next_file)
                    waiting.append((next_file, f"{chain} -> {next_file}"))
    return found


def files_of(module: str, root: Path) -> set[str]:
    """Files that run when ``module`` is imported: packages on the way and its own."""
    parts = module.split(".")[1:]
    packages = {"/".join([*parts[:length], "__init__.py"]) for length in range(len(parts) + 1)}
    return {file for file in {*packages, "/".join(parts) + ".py"} if (root / file).is_file()}


def size_faults(source: str, file: str) -> list[str]:
    lines = len(source.splitlines())
    faults = [f"{file}: {lines} lines, at most {FILE_LINES}"] if lines > FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > BODY_LINES:
                faults.append(f"{file}:{node.lineno}: body of {node.name} has {length} lines, at most {BODY_LINES}")
    return faults


@pytest.mark.parametrize("file", FILES)
def test_imports_follow_the_architecture(file: str) -> None:
    assert import_faults((PACKAGE / file).read_text("utf-8"), file) == []


@pytest.mark.parametrize("file", FILES)
def test_files_and_functions_stay_short(file: str) -> None:
    assert size_faults((PACKAGE / file).read_text("utf-8"), file) == []


def test_what_psychopy_loads_at_every_start_imports_nothing_heavy() -> None:
    assert [chain for file in FILES if file.startswith(LIGHT) for chain in heavy_imports(file)] == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("wire/rtp.py", "import socket"),
        ("wire/rtp.py", "def f():\n    from time import sleep"),
        ("wire/rtp.py", "import numpy as np"),
        ("wire/rtp.py", "from psychopy_neon.timing import offset"),
        ("wire/rtp.py", "from psychopy_neon import device"),
        ("wire/rtp.py", "from psychopy_neon import Neon"),
        ("wire/rtp.py", "from ..device import neon"),
        ("wire/rtp.py", "from .. import device"),
        ("wire/h264.py", "import av"),
        ("timing/offset.py", "import time"),
        ("timing/offset.py", "import random"),
        ("screen/mapper.py", "import threading"),
        ("screen/mapper.py", "from psychopy_neon.wire.calibration import parse_calibration"),
        ("contingent/dwell.py", "import cv2"),
        ("device/neon.py", "from psychopy import core"),
        ("device/neon.py", "from psychopy_neon.simulator import lens"),
        ("device/neon.py", "if TYPE_CHECKING:\n    from psychopy_neon.session import writer"),
        ("session/writer.py", "from psychopy_neon.device.neon import Neon"),
        ("plugin/visual/cursor.py", "from psychopy_neon.wire import sdp"),
        ("plugin/visual/cursor.py", "import psychopy_neon.simulator"),
        ("simulator/neon.py", "import psychopy_neon.device.worker"),
        ("simulator/neon.py", "import psychopy.visual"),
        ("cli/demo.py", "from psychopy import visual"),
        ("errors.py", "from psychopy_neon.samples import Event"),
        ("samples.py", "import av"),
        ("helpers/text.py", "import re"),
        ("helpers.py", ""),
    ],
)
def test_a_planted_import_is_found(file: str, source: str) -> None:
    assert len(import_faults(source, file)) >= 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "wire/calibration.py",
            "import numpy as np\nimport struct\nfrom psychopy_neon.errors import RemoteProtocolError",
        ),
        ("timing/host_clock.py", "import time"),
        ("screen/mapper.py", "import cv2\nfrom .camera import Camera"),
        ("plugin/iohub/events.py", "from ...samples import GazeSample\nfrom .. import times"),
    ],
)
def test_what_the_table_allows_passes(file: str, source: str) -> None:
    assert import_faults(source, file) == []


def plant(root: Path, **sources: str) -> None:
    for name, source in sources.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")


def test_a_heavy_module_is_found_through_another_of_ours(tmp_path: Path) -> None:
    plant(
        tmp_path,
        plugin__iohub__eyetracker="from psychopy_neon.plugin.times import now\nimport numpy",
        plugin__times="class Times:\n    try:\n        pass\n    except ImportError:\n        import cv2.aruco",
    )
    chains = heavy_imports("plugin/iohub/eyetracker.py", tmp_path)
    assert chains == ["plugin/iohub/eyetracker.py -> plugin/times.py -> cv2.aruco"]


def test_a_heavy_module_may_be_imported_when_it_is_used(tmp_path: Path) -> None:
    late = "if TYPE_CHECKING:\n    import av\n\ndef run():\n    from psychopy_neon.device.neon import Neon"
    plant(tmp_path, plugin__builder__backend=late)
    assert heavy_imports("plugin/builder/backend.py", tmp_path) == []


def test_a_planted_long_file_and_function_are_found() -> None:
    body = "\n".join(["        x = 1"] * BODY_LINES)
    assert size_faults(f'def f():\n        """One\n\n        Two\n        """\n{body}', "wire/a.py") == []
    assert len(size_faults(f"def f():\n        y = 1\n{body}", "wire/a.py")) == 1
    assert len(size_faults(f"class C:\n    async def f(self):\n        y = 1\n{body}", "wire/a.py")) == 1
    assert size_faults("x = 1\n" * FILE_LINES, "wire/a.py") == []
    assert len(size_faults("x = 1\n" * (FILE_LINES + 1), "wire/a.py")) == 1
