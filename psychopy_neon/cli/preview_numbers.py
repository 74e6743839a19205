"""What the preview counts, for people at every frame and for scripts at the end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from psychopy_neon.cli.preview_tags import SeenTags
from psychopy_neon.samples import GazeReason, GazeSample, SceneFrame, ScreenGaze

__all__ = ["PreviewNumbers", "quantile", "rounded"]


class PreviewNumbers:
    """Sums over one run; times are host ns."""

    def __init__(self) -> None:
        self.gaze_count = 0
        self.scene_count = 0
        self.drawn = 0
        self._gaze_since_ns: int | None = None
        self._scene_since_ns: int | None = None
        self._found = 0
        self._missed = 0
        self._mapped: Counter[GazeReason | None] = Counter()
        self._on_screen = 0
        self._advice: Counter[str] = Counter()
        self._pose_age_s: list[float] = []
        self._error_px: list[float] = []
        self._error_deg: list[float] = []

    def add_gaze(self, samples: Sequence[GazeSample]) -> None:
        """Samples as they came."""
        if samples and self._gaze_since_ns is None:
            self._gaze_since_ns = samples[0].received_ns
        self.gaze_count += len(samples)

    def add_scene(self, frames: Sequence[SceneFrame]) -> None:
        """Frames as they came, drawn or not."""
        if frames and self._scene_since_ns is None:
            self._scene_since_ns = frames[0].received_ns
        self.scene_count += len(frames)

    def add_mapped(self, gazes: Sequence[ScreenGaze]) -> None:
        """Every sample of gaze on the screen, or its reason."""
        self._mapped.update(gaze.reason for gaze in gazes)
        self._on_screen += sum(gaze.is_on_screen for gaze in gazes)

    def add_drawn(self, tags: SeenTags, live: ScreenGaze | None) -> None:
        """A frame that was drawn, and what ``latest()`` answered then."""
        self.drawn += 1
        self._found += len(tags.found)
        self._missed += len(tags.missed)
        if tags.advice is not None:
            self._advice[tags.advice.partition(" (")[0]] += 1
        if live is not None and live.quality is not None and live.age_s is not None:
            self._pose_age_s.append(live.age_s + live.quality.pose_age_s)
            self._error_px.append(live.quality.error_px)
            self._error_deg.append(live.quality.error_deg)

    def as_json(self, now_ns: int) -> dict[str, Any]:
        """All of it; None where there is nothing to tell."""
        asked = sum(self._mapped.values())
        reasons = {reason.name: rounded(count / asked, 4) for reason, count in self._mapped.items() if reason}
        return {
            "gaze_rate_hz": _rate_hz(self.gaze_count, self._gaze_since_ns, now_ns),
            "scene_rate_hz": _rate_hz(self.scene_count, self._scene_since_ns, now_ns),
            "frames_drawn": self.drawn,
            "frames_skipped": self.scene_count - self.drawn,
            "tags_found_mean": rounded(self._found / self.drawn, 2) if self.drawn else None,
            "tags_missed_mean": rounded(self._missed / self.drawn, 2) if self.drawn else None,
            "mapped_share": rounded(self._mapped[None] / asked, 4) if asked else None,
            "on_screen_share": rounded(self._on_screen / asked, 4) if asked else None,
            "no_gaze_because": reasons,
            "pose_age_ms_median": rounded(quantile(self._pose_age_s, 0.5), 1, 1e3),
            "pose_age_ms_95_percent": rounded(quantile(self._pose_age_s, 0.95), 1, 1e3),
            "error_px_median": rounded(quantile(self._error_px, 0.5), 3),
            "error_px_95_percent": rounded(quantile(self._error_px, 0.95), 3),
            "error_deg_median": rounded(quantile(self._error_deg, 0.5), 4),
            "error_deg_95_percent": rounded(quantile(self._error_deg, 0.95), 4),
            "advice": {text: rounded(count / self.drawn, 4) for text, count in self._advice.most_common()},
        }


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share is not above; None of none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def rounded(value: float | None, digits: int, scale: float = 1.0) -> float | None:
    """For people and JSON."""
    return None if value is None else round(value * scale, digits)


def _rate_hz(count: int, since_ns: int | None, now_ns: int) -> float:
    if since_ns is None or count < 2 or now_ns <= since_ns:
        return 0.0
    return round((count - 1) * 1e9 / (now_ns - since_ns), 1)
