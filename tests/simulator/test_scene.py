"""The scene stream, decoded by FFmpeg."""

import base64
import re

import av
import numpy as np
import pytest

from psychopy_neon.simulator import HeadPose, SceneCamera, SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.frame_code import read_frame_code
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.lens import Lens
from psychopy_neon.simulator.scene import SceneEncoder
from psychopy_neon.simulator.screens import StillScreen
from psychopy_neon.wire.rtp import RtpPacket

from .conftest import RawRtsp


def open_scene(sim: SimulatedNeon) -> tuple[RawRtsp, str]:
    client = RawRtsp(sim, "world")
    _, _, sdp = client.ask("DESCRIBE")
    client.ask("SETUP", client.base + "trackID=1", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    return client, sdp


def read_frames(client: RawRtsp, count: int) -> list[list[RtpPacket]]:
    """The packets of the next whole pictures: those of the same timestamp."""
    pictures: list[list[RtpPacket]] = []
    while len(pictures) <= count:
        channel, payload = client.frame()
        if channel != 0:
            continue
        packet = RtpPacket.parse(payload)
        if pictures and pictures[-1][0].timestamp == packet.timestamp:
            pictures[-1].append(packet)
        else:
            pictures.append([packet])
    return pictures[:count]


def nals(picture: list[RtpPacket]) -> list[bytes]:
    """A reader of its own: parameter sets in a STAP-A, single NAL units, FU-A."""
    units: list[bytes] = []
    for packet in picture:
        data = packet.payload
        if data[0] & 0x1F == 24:
            place = 1
            while place < len(data):
                size = int.from_bytes(data[place : place + 2], "big")
                units.append(data[place + 2 : place + 2 + size])
                place += 2 + size
        elif data[0] & 0x1F == 28:
            if data[1] & 0x80:
                units.append(bytes((data[0] & 0xE0 | data[1] & 0x1F,)))
            units[-1] += data[2:]
        else:
            units.append(data)
    return units


def decoded(pictures: list[list[RtpPacket]], first: list[bytes] | None = None) -> list[np.ndarray]:
    decoder = av.CodecContext.create("h264", "r")
    frames = []
    for index, picture in enumerate(pictures):
        units = [*(first or [] if index == 0 else []), *nals(picture)]
        frames += decoder.decode(av.Packet(b"".join(b"\0\0\0\1" + unit for unit in units)))
    frames += decoder.decode(None)
    return [frame.to_ndarray(format="gray") for frame in frames]


@pytest.mark.parametrize(("slices", "marker"), [(1, "every_nal"), (3, "rfc"), (3, "every_nal")])
def test_frames_can_be_decoded_and_counted(slices: int, marker: str) -> None:
    settings = SimulatorSettings(frame_code=True, scene_slices=slices, marker=marker)  # type: ignore[arg-type]
    with SimulatedNeon(settings) as sim:
        client, _ = open_scene(sim)
        pictures = read_frames(client, 8)
        client.close()
        truth = sim.truth.records("frame")[:8]
    numbers = [read_frame_code(luma) for luma in decoded(pictures)]
    assert numbers == [record["number"] for record in truth] == list(range(8))
    ticks = [(picture[0].timestamp - pictures[0][0].timestamp) % 2**32 for picture in pictures]
    expected = [(record["device_ns"] - truth[0]["device_ns"]) * 90_000 / 1e9 for record in truth]
    assert ticks == pytest.approx(expected, abs=0.01)
    markers = [sum(packet.marker for packet in picture) for picture in pictures]
    # Before the slices of the first picture stands one packet with both parameter sets.
    assert markers == ([1] * 8 if marker == "rfc" else [1 + slices] + [slices] * 7)
    assert all(picture[-1].marker for picture in pictures)
    assert max(len(packet.payload) for picture in pictures for packet in picture) <= 1260


def test_the_description_has_the_parameter_sets(sim: SimulatedNeon) -> None:
    client, sdp = open_scene(sim)
    pictures = read_frames(client, 1)
    client.close()
    found = re.search(r"sprop-parameter-sets=([^,\r\n;]+),([^,\r\n;]+)", sdp)
    assert found is not None
    sets = [base64.b64decode(each) for each in found.groups()]
    assert nals(pictures[0])[:2] == sets
    assert f"profile-level-id={sets[0][1:4].hex()}" in sdp
    assert "a=rtpmap:96 H264/90000" in sdp


def test_every_new_receiver_begins_with_a_key_frame(sim: SimulatedNeon) -> None:
    first, _ = open_scene(sim)
    read_frames(first, 3)
    second, _ = open_scene(sim)
    assert decoded(read_frames(second, 2))[0].shape == (1200, 1600)
    first.close()
    second.close()
    assert sum(record["key"] for record in sim.truth.records("frame")) == 2


def test_key_frames_come_by_themselves() -> None:
    encoder = SceneEncoder((160, 120), 10.0, 1)
    picture = np.full((180, 160), 128, np.uint8)
    keys = [index for index in range(45) if any(nal[0] & 0x1F == 5 for nal in encoder.encode(picture, index == 7))]
    assert keys == [0, 7, 27]


def test_what_is_seen_is_the_screen_through_the_lens() -> None:
    image, tags = synthetic_screen()
    settings = SimulatorSettings(head=HeadPose(yaw_deg=4, roll_deg=-3))
    with SimulatedNeon(settings, StillScreen(image)) as sim:
        client, _ = open_scene(sim)
        luma = decoded(read_frames(client, 2))[-1]
        client.close()
        for corners in list(tags.values())[:5]:
            ((x, y),) = sim.camera.scene_from_screen([corners.mean(axis=0)])
            inside = luma[round(y) - 20 : round(y) + 20, round(x) - 20 : round(x) + 20]
            assert inside.max() - inside.min() > 150, "black and white cells of a tag"


def test_moving_the_head_moves_the_picture() -> None:
    with SimulatedNeon(SimulatorSettings(frame_code=True)) as sim:
        client, _ = open_scene(sim)
        pictures = read_frames(client, 2)
        sim.set_head(HeadPose(yaw_deg=10))
        pictures += read_frames(client, 6)
        client.close()
        frames = decoded(pictures)
        assert np.abs(frames[-1].astype(int) - frames[0]).mean() > 10
        head, moved = sim.truth.records("head")
    assert head["scene_from_screen"] != moved["scene_from_screen"]


def test_a_pupil_invisible_has_a_smaller_picture() -> None:
    with SimulatedNeon(SimulatorSettings(model="invisible")) as sim:
        client, _ = open_scene(sim)
        frames = decoded(read_frames(client, 2))
        client.close()
    assert frames[0].shape == (1080, 1088)


def test_a_frame_of_a_moving_head_is_seen_from_its_own_pose() -> None:
    """A dot in the middle of the screen is where the pose in the truth of each frame puts it."""
    ys, xs = np.mgrid[0:1080, 0:1920]
    spot = np.exp(-((xs - 959.5) ** 2 + (ys - 539.5) ** 2) / (2 * 8.0**2))
    dot = np.repeat((100 + 150 * spot).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)
    settings = SimulatorSettings(frame_code=True, head_motion=HeadMotionSpec.parse("natural,peak_dps=60"), seed=2)
    with SimulatedNeon(settings, StillScreen(dot)) as sim:
        client, _ = open_scene(sim)
        frames = decoded(read_frames(client, 12))
        client.close()
        sim.truth.wait("frame", 12, 20)
        truth = {record["number"]: record["head"] for record in sim.truth.records("frame")}
        lens = Lens(sim.calibration.scene)
    places = []
    for luma in frames:
        number = read_frame_code(luma)
        assert number is not None
        ((x, y),) = SceneCamera(lens, (1920, 1080), HeadPose(**truth[number])).scene_from_screen([(960.0, 540.0)])
        left, top = round(x) - 30, round(y) - 30
        piece = np.clip(luma[top : top + 61, left : left + 61].astype(float) - 120, 0, None)
        seen = [(piece * index).sum() / piece.sum() for index in np.mgrid[top : top + 61, left : left + 61][::-1]]
        assert seen == pytest.approx([x, y], abs=0.15)
        places.append((x, y))
    assert np.ptp(places, axis=0).max() > 10, "it has moved"
