"""Scene video by FFmpeg's own RTSP client: ``play.py URL udp|tcp COUNT``. Needs PyAV only."""

from __future__ import annotations

import json
import sys

import av
import frame_code


def main(url: str, transport: str, count: int) -> list[int | None]:
    codes: list[int | None] = []
    options = {"rtsp_transport": transport, "analyzeduration": "200000", "allowed_media_types": "video"}
    with av.open(url, options=options, timeout=10.0) as container:
        for frame in container.decode(video=0):
            codes.append(frame_code.read(frame_code.luma_of(frame)))
            if len(codes) == count:
                break
    return codes


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
