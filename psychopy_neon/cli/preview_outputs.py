"""Where the pictures of the preview go: a window, a film, a picture of the last frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import av
import cv2
import numpy as np

from psychopy_neon.cli.preview_picture import Picture, PreviewView, draw
from psychopy_neon.errors import ConfigurationError

if TYPE_CHECKING:
    import tkinter

__all__ = ["Film", "LastPicture", "Output", "Window"]

FILM_WIDTH = WINDOW_WIDTH = 800
"""Half a Neon's: made smaller by whole pixels, which is fast."""
TIME_BASE = Fraction(1, 90_000)
NOMINAL_FPS = 30
ENCODER = {"preset": "veryfast", "crf": "23"}
NO_WINDOW = "a computer where Tk can open a window; without one: --png, --mp4 or --json"


class Output(Protocol):
    """Takes views as they come."""

    @property
    def is_over(self) -> bool:
        """Whether somebody has had enough."""

    def show(self, view: PreviewView) -> None:
        """Show or keep a view."""

    def close(self) -> None:
        """Finish; twice is fine."""


class Window:
    """A window that can be resized; Escape, q, or its own button ends it.

    Tk comes with Python. OpenCV's windows do not do: on Linux its library ends the whole process where there is no
    display, and waits for ever where PyAV has loaded another X library; PsychoPy's need PsychoPy.

    Raises
    ------
    ConfigurationError
        There is no Tk, or no display.

    Notes
    -----
    Thread: the main one.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter
        except ImportError as error:
            # A Linux distribution may pack it apart, as python3-tk.
            raise ConfigurationError("window", "Python has no tkinter", NO_WINDOW) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise ConfigurationError("window", str(error), NO_WINDOW) from error
        self.is_over = self._is_destroyed = False
        self._root.title(title)
        self._root.protocol("WM_DELETE_WINDOW", self._end)
        for key in ("<Escape>", "q"):
            self._root.bind(key, lambda _event: self._end())
        self._label = tkinter.Label(self._root, borderwidth=0, background="#202020")
        self._label.pack(fill="both", expand=True)
        self._image: tkinter.PhotoImage | None = None
        self._width = WINDOW_WIDTH

    def show(self, view: PreviewView) -> None:
        if not self.is_over:
            picture = draw(view, self._width)
            self._image = self._photo(picture)
            self._label.configure(image=self._image)
            if self._root.winfo_width() > 1:  # it is on the screen, and somebody may have resized it
                self._width = self._fitting(picture)

    def update(self) -> None:
        """Let Tk do what waits: draw, take keys; never waits."""
        if not self.is_over:
            self._root.update()

    def close(self) -> None:
        if not self._is_destroyed:
            self._is_destroyed = self.is_over = True
            self._image = None
            self._root.destroy()

    def _end(self) -> None:
        self.is_over = True

    @staticmethod
    def _photo(picture: Picture) -> tkinter.PhotoImage:
        import tkinter

        height, width = picture.shape[:2]
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return tkinter.PhotoImage(data=b"P6 %d %d 255\n" % (width, height) + rgb.tobytes(), format="PPM")

    def _fitting(self, picture: Picture) -> int:
        """The width of a picture that fills the window as it is now."""
        height, width = picture.shape[:2]
        return int(min(self._root.winfo_width(), self._root.winfo_height() * width / height))


class Film:
    """A film (MP4, H.264) with the frames' real times.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """

    is_over = False

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.open("wb").close()  # now, not after the last frame
            self._container = av.open(str(path), "w", format="mp4")
        except (OSError, av.error.FFmpegError) as error:
            raise _cannot_write("mp4", path, error) from error
        self._stream: av.VideoStream | None = None
        self._begin_ns = 0
        self._last_pts = -1
        self._is_closed = False

    def show(self, view: PreviewView) -> None:
        if view.frame is None:
            return
        picture = draw(view, FILM_WIDTH)
        if self._stream is None:
            self._begin_ns = view.frame.device_ns
            self._stream = self._open(picture)
        if picture.shape[:2] != (self._stream.height, self._stream.width):
            raise ConfigurationError("mp4", picture.shape[:2], "frames of one size; the device has changed its own")
        image = av.VideoFrame.from_ndarray(picture, "bgr24")
        # A clock that was set back must not run the film backwards.
        pts = round((view.frame.device_ns - self._begin_ns) / 1e9 / TIME_BASE)
        self._last_pts = image.pts = max(pts, self._last_pts + 1)
        image.time_base = TIME_BASE
        self._write(image)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            if self._stream is not None:
                self._write(None)
            self._container.close()

    def _open(self, picture: Picture) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=NOMINAL_FPS, options=ENCODER)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        return stream

    def _write(self, image: av.VideoFrame | None) -> None:
        assert self._stream is not None
        try:
            self._container.mux(self._stream.encode(image))
        except (OSError, av.error.FFmpegError) as error:
            raise _cannot_write("mp4", self._path, error) from error


class LastPicture:
    """The last view as a PNG as large as the frames.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """

    is_over = False

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.open("wb").close()
        except OSError as error:
            raise _cannot_write("png", path, error) from error
        self._view: PreviewView | None = None

    def show(self, view: PreviewView) -> None:
        self._view = view

    def close(self) -> None:
        view, self._view = self._view, None
        if view is None:
            return
        picture = draw(view, 1600 if view.frame is None else view.frame.luma.shape[1])
        _, data = cv2.imencode(".png", picture)
        try:
            self._path.write_bytes(np.asarray(data).tobytes())
        except OSError as error:
            raise _cannot_write("png", self._path, error) from error


def _cannot_write(setting: str, path: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(setting, str(path), f"a file that can be written ({error})")
