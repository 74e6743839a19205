"""The X display, through XCB: its size, its pointer, and whether it is still there.

XCB, because Xlib ends the whole process when its display goes.
"""

from __future__ import annotations

import ctypes
import ctypes.util

from psychopy_neon.errors import LinkError

__all__ = ["X11Display"]

_XCB = "libxcb.so.1"


class _Screen(ctypes.Structure):
    """The beginning of ``xcb_screen_t``."""

    _fields_ = (
        ("root", ctypes.c_uint32),
        ("skipped", ctypes.c_uint32 * 4),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    )


class _ScreenIterator(ctypes.Structure):
    _fields_ = (("data", ctypes.POINTER(_Screen)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _PointerReply(ctypes.Structure):
    """The beginning of ``xcb_query_pointer_reply_t``."""

    _fields_ = (
        ("head", ctypes.c_uint8 * 8),
        ("root", ctypes.c_uint32),
        ("child", ctypes.c_uint32),
        ("x", ctypes.c_int16),
        ("y", ctypes.c_int16),
    )


class X11Display:
    """A connection to the display that the environment names; used by one thread at a time.

    Raises
    ------
    LinkError
        There is no XCB library, or no display.
    """

    def __init__(self) -> None:
        try:
            self._xcb = _functions(ctypes.CDLL(ctypes.util.find_library("xcb") or _XCB))
        except OSError as error:
            raise LinkError("X display", f"the library {_XCB} cannot be loaded") from error
        self._libc = ctypes.CDLL(None)
        self._libc.free.argtypes = [ctypes.c_void_p]
        self._connection: int | None = self._xcb.xcb_connect(None, None)
        if not self.is_alive():
            self.close()
            raise LinkError("X display", "cannot be opened (environment variable DISPLAY)")
        screen = self._xcb.xcb_setup_roots_iterator(self._xcb.xcb_get_setup(self._connection)).data.contents
        self._root = screen.root
        self.size_px = (int(screen.width), int(screen.height))
        """Width and height when it was opened."""

    def is_alive(self) -> bool:
        """Whether the connection still stands."""
        if self._connection is None:
            return False
        # Nothing is subscribed to; asking for events reads from the connection, which is how its end is noticed.
        event = self._xcb.xcb_poll_for_event(self._connection)
        if event:
            self._libc.free(event)
        return not self._xcb.xcb_connection_has_error(self._connection)

    def pointer(self) -> tuple[int, int]:
        """The px that the pointer is on; raises LinkError when the display has gone."""
        reply = None
        if self._connection is not None:
            cookie = self._xcb.xcb_query_pointer(self._connection, self._root)
            reply = self._xcb.xcb_query_pointer_reply(self._connection, cookie, None)
        if not reply:
            raise LinkError("X display", "does not answer any more")
        place = (int(reply.contents.x), int(reply.contents.y))
        self._libc.free(reply)
        return place

    def close(self) -> None:
        """Let go of the display; twice is fine."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._xcb.xcb_disconnect(connection)


def _functions(xcb: ctypes.CDLL) -> ctypes.CDLL:
    """Declare what is called: without it ctypes would cut addresses to 32 bits."""
    address = ctypes.c_void_p
    xcb.xcb_connect.argtypes, xcb.xcb_connect.restype = [ctypes.c_char_p, address], address
    xcb.xcb_disconnect.argtypes, xcb.xcb_disconnect.restype = [address], None
    xcb.xcb_connection_has_error.argtypes = [address]
    xcb.xcb_poll_for_event.argtypes, xcb.xcb_poll_for_event.restype = [address], address
    xcb.xcb_get_setup.argtypes, xcb.xcb_get_setup.restype = [address], address
    xcb.xcb_setup_roots_iterator.argtypes = [address]
    xcb.xcb_setup_roots_iterator.restype = _ScreenIterator
    xcb.xcb_query_pointer.argtypes, xcb.xcb_query_pointer.restype = [address, ctypes.c_uint32], _Cookie
    xcb.xcb_query_pointer_reply.argtypes = [address, _Cookie, address]
    xcb.xcb_query_pointer_reply.restype = ctypes.POINTER(_PointerReply)
    return xcb
