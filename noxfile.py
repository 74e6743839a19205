# /// script
# dependencies = ["nox[uv]"]
# ///
"""Task runner: ``nox -s tests`` is what the README and CI run, ``nox -l`` lists the rest.

Nox reads the lines above and starts itself again with uv beside it, which installs PsychoPy in seconds. Sessions that
open windows bring a virtual screen where there is none (Linux), and install what it needs where they may.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = list(dict.fromkeys([RUNNING, "3.10", "3.12"]))
"""The oldest and the newest are skipped where the computer does not have them."""
PSYCHOPYS = {
    "psychopy": ("psychopy",),
    "lib": ("psychopy-lib", "esprima"),  # which it needs and does not ask for
    "numpy1": ("psychopy", "numpy==1.26.*", "opencv-python==4.11.*"),
    "2026.1": ("psychopy-lib==2026.1.*", "esprima", "scipy>=1.11"),  # an older SciPy would have to be compiled
    "2025.2": ("psychopy-lib==2025.2.*", "esprima", "scipy>=1.11"),
}
ENVIRONMENTS = [
    *((python, psychopy) for psychopy in ("psychopy", "lib") for python in ("3.10", "3.11", "3.12")),
    *(("3.11", psychopy) for psychopy in ("numpy1", "2026.1", "2025.2")),
]
"""Python, and which PsychoPy is beside the plugin."""

DEBIAN_PACKAGE_OF = {
    "Xvfb": "xvfb",  # the virtual screen; depends on libGL, Mesa's software renderer and libX11
    "libGL.so.1": "libgl1",  # PsychoPy's windows (pyglet)
    "libGLU.so.1": "libglu1-mesa",  # the same
    "libfontconfig.so.1": "libfontconfig1",  # the same, for text; brings a font
    "libgthread-2.0.so.0": "libglib2.0-0",  # OpenCV
}


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Fast tests, those against the official client among them."""
    is_own = session.python in (None, RUNNING)
    run_tests(session, "not long" if is_own else "not long and not once")


@nox.session
def long(session: nox.Session) -> None:
    """Slow tests."""
    run_tests(session, "long")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and types."""
    session.install("-e", ".", *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The manual, to build/docs."""
    session.install("-e", ".", *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "build/docs", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks beside the official client."""
    session.install("-e", ".[psychopy]", *group("test"))
    with display(session, "1280x720") as env:  # where the processor computes graphics, more is no 60 frames a second
        env |= {"NEON_PEER_PYTHON": peer_python(session), "NEON_JUDGE_PYTHON": judge_python(session)}
        env |= {"NEON_PLUGIN_PYTHON": python_with(session, "builder-peer")}
        session.run("python", "tests/benchmarks/run.py", *session.posargs, env=env)


@nox.session
def judge(session: nox.Session) -> None:
    """Where on the screen, judged by rendered scenes beside others' mappers; writes the manual's table and pictures."""
    session.install("-e", ".[analysis]", *group("test"))
    options = ("--frames", "60", "--docs", "docs", *session.posargs)
    env = {"NEON_JUDGE_PYTHON": judge_python(session)}
    session.run("python", "tests/benchmarks/mapping.py", *options, env=env)


@nox.session
def study(session: nox.Session) -> None:
    """How good the clock is, on a thousand simulated networks; writes the manual's table and plot."""
    session.install("-e", ".[analysis]", *group("test"))
    results = ("--table", "docs/includes/clock_study.md", "--plot", "docs/images/clock_study.png")
    session.run("python", "tests/benchmarks/clock_study.py", *results, *session.posargs)


@nox.session
@nox.parametrize("python,psychopy", ENVIRONMENTS)
def environments(session: nox.Session, psychopy: str) -> None:
    """What PsychoPy finds of the built plugin, in fresh environments: each Python, both packages, older versions."""
    session.install(".", *PSYCHOPYS[psychopy], "pytest>=8", "pytest-timeout>=2.3")
    with display(session) as env:
        session.run("pytest", "tests/plugin/test_entry_points.py", *session.posargs, env=env)


@nox.session
def demo(session: nox.Session) -> None:
    """See gaze on the screen with a simulated Neon; ``-- --frames 600`` and the like are the demo's."""
    session.install("-e", ".[psychopy]")
    with display(session) as env:
        session.run(
            "psychopy-neon", "demo", "gaze_contingent", "--simulate", "--out", "build/demo", *session.posargs, env=env
        )


def run_tests(session: nox.Session, marker: str) -> None:
    session.install("-e", ".[psychopy]", *group("test"))
    with display(session) as env:
        if session.python in (None, RUNNING):  # what goes over the wire is the same for every Python
            env |= {"NEON_PEER_PYTHON": peer_python(session)}
        if marker == "long":
            env |= {"NEON_JUDGE_PYTHON": judge_python(session)}
            env |= {"NEON_BOTH_PYTHON": python_with(session, "builder-peer", "-e", ".")}
        session.run("pytest", "-m", marker, *session.posargs, env=env)


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


def peer_python(session: nox.Session) -> str:
    """A Python that has the official client and nothing of ours."""
    return python_with(session, "peer")


def judge_python(session: nox.Session) -> str:
    """A Python that has the judges of mapping and nothing of ours."""
    return python_with(session, "judge")


def python_with(session: nox.Session, name: str, *more: str) -> str:
    """A Python that has a group of packages, and ``more`` or nothing of ours; made once for all sessions."""
    folder = session.cache_dir.absolute() / f"{name}{'-and-ours' if more else ''}-{RUNNING}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        session.run("uv", "venv", "--quiet", "--python", sys.executable, str(folder), silent=True)
    session.run("uv", "pip", "install", "--quiet", "--python", str(python), *group(name), *more)
    return str(python)


@contextlib.contextmanager
def display(session: nox.Session, size: str = "1920x1080") -> Iterator[dict[str, str]]:
    """Environment in which windows can be opened; a virtual screen lives as long as the context."""
    is_virtual = sys.platform == "linux" and not os.environ.get("DISPLAY")
    if sys.platform == "linux":
        provide_libraries(session, is_virtual)
    if not is_virtual:
        yield {}
        return
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    command += ["-maxclients", "1024"]  # PsychoPy's windows keep their connections as long as the process lives
    server = subprocess.Popen(
        [*command, "+extension", "GLX"], pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        os.close(write_end)
        number = os.read(read_end, 16).decode().strip() if select.select([read_end], [], [], 30)[0] else ""
        if not number:
            session.error("the virtual screen did not start; its own words: Xvfb -displayfd 1")
        yield {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1"}
    finally:
        os.close(read_end)
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def provide_libraries(session: nox.Session, is_virtual: bool) -> None:
    missing = [name for name in DEBIAN_PACKAGE_OF if not is_there(name) and (is_virtual or name != "Xvfb")]
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *(DEBIAN_PACKAGE_OF[name] for name in missing)]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        on_debian = f"on Debian and Ubuntu: sudo {' '.join(install)}"
        session.error(f"PsychoPy's windows and OpenCV need {', '.join(missing)}; {on_debian}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    session.run("apt-get", "update", "-q", external=True, silent=True, env=env)
    session.run(*install, external=True, silent=True, env=env)


def is_there(name: str) -> bool:
    if ".so." not in name:
        return shutil.which(name) is not None
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def offer_pyenv_pythons() -> None:
    """Where pyenv has other versions than the one in use, let its ``python3.x`` commands start them."""
    if shutil.which("pyenv") is None:
        return
    wanted = dict.fromkeys([*PYTHONS, *(python for python, _ in ENVIRONMENTS)])
    asked = [subprocess.run(["pyenv", "prefix", each], capture_output=True, text=True) for each in wanted]
    found = [Path(each.stdout.strip()).name for each in asked if each.returncode == 0]
    if found and "PYENV_VERSION" not in os.environ:
        os.environ["PYENV_VERSION"] = ":".join(found)


offer_pyenv_pythons()
