"""``psychopy-neon clock`` against the simulator."""

import json
import re
import threading

import pytest
from click.testing import CliRunner
from PIL import Image

from psychopy_neon.cli import main
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

pytestmark = pytest.mark.once

MS = 1_000_000


@pytest.fixture
def sim():
    with SimulatedNeon(SimulatorSettings(offset_ns=-1_500 * MS, drift_ppm=30, name="Lab phone")) as simulated:
        yield simulated


def run(*arguments):
    return CliRunner().invoke(main, ["clock", *arguments])


def test_json_tells_the_truth(sim):
    done = run(sim.address, "--seconds", "1.5", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    offset_ns = told["wall_ns"] - told["host_ns"] + told["device_minus_wall_ns"]
    true_ns = sim.clock.device_ns(told["host_ns"]) - told["host_ns"]
    assert abs(offset_ns - true_ns) <= told["bound_ns"]
    assert told["echoes"] == len(told["round_trip_ns"]) > 10
    (segment,) = told["segments"]
    assert segment["step_ns"] == told["outliers"] == 0
    assert abs(told["device_minus_wall_ns"] + 1_500 * MS) < 50 * MS


def test_the_table_and_the_plot(sim, tmp_path):
    plot = tmp_path / "clock.png"
    done = run(sim.address, "--seconds", "0.8", "--plot", str(plot))
    assert done.exit_code == 0, done.output
    for text in ("Lab phone", "behind this computer's wall clock", "± ", "ppm", "median", str(plot)):
        assert text in done.output
    with Image.open(plot) as picture:
        assert picture.size == (1080, 720)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_a_step_is_told(sim):
    stepping = threading.Timer(1.0, sim.step_clock, [1_700 * MS])  # in the midst of the watching
    stepping.start()
    done = run(sim.address, "--seconds", "3")
    stepping.join(20)
    assert done.exit_code == 0, done.output
    told = re.search(r"set forward by ([\d,.]+) ms", done.output)
    assert told is not None
    assert float(told[1].replace(",", "")) == pytest.approx(1_700, abs=50)


def test_without_time_echo_it_says_why():
    with SimulatedNeon(SimulatorSettings(has_echo=False)) as sim:
        done = run(sim.address, "--seconds", "0.5")
    assert done.exit_code == 1
    assert "no time echo" in done.output + done.stderr


@pytest.mark.parametrize("arguments", [("127.0.0.1:9", "--seconds", "1"), ("127.0.0.1:9", "--seconds", "-1")])
def test_bad_input(arguments):
    done = run(*arguments)
    assert done.exit_code == 1
    assert "Error" in done.output + done.stderr


def test_a_plot_that_cannot_be_written(sim, tmp_path):
    done = run(sim.address, "--seconds", "0.5", "--plot", str(tmp_path / "no" / "clock.png"))
    assert done.exit_code == 1
    assert "can be written" in done.output + done.stderr
