"""``psychopy-neon simulate`` as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from psychopy_neon.simulator.echo_paths import PATHS
from psychopy_neon.simulator.head_motion import HEAD_MOTIONS

pytestmark = pytest.mark.once

RUN = (sys.executable, "-c", "from psychopy_neon.cli import main; main(prog_name='psychopy-neon')")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=30, env=os.environ)


def test_it_says_one_line_and_ends_by_itself(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    done = run("simulate", "--port", "0", "--seconds", "0.2", "--no-mdns", "--truth", str(truth), "--name", "Ä b")
    assert done.returncode == 0
    assert done.stderr == ""
    assert re.fullmatch(r'Simulated Neon "Ä b" ready at 127\.0\.0\.1:\d+ \(Ctrl\+C ends it\)\n', done.stdout)
    assert {json.loads(line)["kind"] for line in truth.read_text(encoding="utf-8").splitlines()} == {"clock", "head"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_in_good_order(number: int) -> None:
    process = subprocess.Popen(
        [*RUN, "simulate", "--port", "0", "--no-mdns"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = re.search(r"ready at (\S+) ", process.stdout.readline())
    assert address is not None
    assert requests.get(f"http://{address[1]}/api/status", timeout=5).status_code == 200
    process.send_signal(number)
    rest, errors = process.communicate(timeout=15)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("simulate", "--port", port, "--no-mdns")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"Error: [^\n]*{port}[^\n]*in use[^\n]*\n", done.stderr)


def test_a_broken_script_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "faults").write_text('{"t_s": 0.1, "do": "dance"}', encoding="utf-8")
    done = run("simulate", "--port", "0", "--no-mdns", "--faults", str(tmp_path / "faults"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_faults_happen(tmp_path: Path) -> None:
    lines = [{"t_s": 0.05, "do": "step_clock", "step_ns": 10**9}, {"t_s": 0.1, "do": "set_battery", "level": 3}]
    (tmp_path / "faults").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    truth = tmp_path / "truth"
    options = ("--faults", str(tmp_path / "faults"), "--truth", str(truth), "--seconds", "0.5")
    assert run("simulate", "--port", "0", "--no-mdns", *options).returncode == 0
    causes = [json.loads(line).get("cause") for line in truth.read_text(encoding="utf-8").splitlines()]
    assert causes[-1] == "step"


def test_the_clock_and_the_echo_can_be_as_bad_as_wanted(tmp_path: Path) -> None:
    lines = [
        {"t_s": 0, "do": "slew_clock", "amount_ns": 10**9},
        {"t_s": 0, "do": "set_drift", "drift_ppm": -40},
        {"t_s": 0, "do": "set_echo", "mode": "silent"},
    ]
    (tmp_path / "faults").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    truth = tmp_path / "truth"
    options = ("--drift-ppm", "40", "--echo-path", "wifi-busy,tick_out_ms=10", "--echo-rounding", "nearest")
    files = ("--faults", str(tmp_path / "faults"), "--truth", str(truth))
    done = run("simulate", "--port", "0", "--no-mdns", "--seconds", "0.5", *options, *files)
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    clock = [each for each in records if each["kind"] == "clock"]
    assert [(each["cause"], each["drift_ppm"], each["slew_ppm"]) for each in clock] == [
        ("start", 40, 0),
        ("slew", 40, 500),
        ("slewed", 40, 0),
        ("drift", -40, 500),
        ("slewed", -40, 0),
    ]


def test_the_head_can_move_and_the_eyes_can_blink(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    options = ("--head-motion", "sway,yaw_deg=12", "--blinks-per-minute", "20", "--gaze-bytes", "89", "--no-eye-events")
    sensor = ("--gyro-noise-dps", "0", "--gyro-bias-dps", "-1", "0", "0.5", "--imu-misalignment-deg", "0", "3", "0")
    line = ("simulate", "--port", "0", "--no-mdns", "--seconds", "0.2", "--truth", str(truth))
    done = run(*line, *options, *sensor, "--imu-delay-ms", "-2.5")
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(each) for each in truth.read_text(encoding="utf-8").splitlines()]
    (head,) = (each for each in records if each["kind"] == "head")
    assert (head["motion"]["yaw_deg"], head["motion"]["pitch_deg"]) == (12, 4)


def test_a_head_motion_that_there_is_not_is_one_line() -> None:
    done = run("simulate", "--port", "0", "--no-mdns", "--head-motion", "dance")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: head_motion='dance'[^\n]*natural[^\n]*\n", done.stderr)


def test_an_old_app_cannot_be_told_to_echo_badly(tmp_path: Path) -> None:
    (tmp_path / "faults").write_text('{"t_s": 0, "do": "set_echo", "mode": "short"}', encoding="utf-8")
    done = run("simulate", "--port", "0", "--no-mdns", "--no-echo", "--faults", str(tmp_path / "faults"))
    assert done.returncode == 1
    assert re.fullmatch(r"Error: [^\n]*no time echo[^\n]*\n", done.stderr)


def test_an_echo_path_that_there_is_not_is_one_line() -> None:
    done = run("simulate", "--port", "0", "--no-mdns", "--echo-path", "train")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: echo_path='train'[^\n]*wifi-busy[^\n]*\n", done.stderr)


def test_the_help_names_the_paths_of_the_echo_and_the_motions() -> None:
    done = run("simulate", "--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in (*PATHS, *HEAD_MOTIONS))


def test_the_help_names_all_commands_without_importing_them() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("discover", "status", "demo", "simulate"))
    assert run("dance").returncode == 2
