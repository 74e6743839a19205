"""What a client says in an RTSP session, answer by answer: OPTIONS, DESCRIBE, SETUP, PLAY (RFC 2326 section 10).

Pure: it neither sends nor waits. Every URL in it names the host that the user gave, whatever host the device believes
to have and writes into its descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from psychopy_neon.errors import RemoteProtocolError, RequestRefusedError
from psychopy_neon.wire.rtsp import Headers, RtspRequest, RtspResponse
from psychopy_neon.wire.sdp import Media, SessionDescription

__all__ = ["ClientDialogue", "MediaKind"]

MediaKind = Literal["application", "video"]
_DEFAULT_TIMEOUT_S = 60
"""RFC 2326 section 12.37."""


class ClientDialogue:
    """The client's side of one session with one medium.

    Parameters
    ----------
    url : str
        Of the stream, with the host and port that are connected to.
    client_ports : tuple of int
        UDP ports for RTP and RTCP.
    media_kind : "application" or "video"
        Which medium of the description to set up, the first of its kind.
    user_agent : str
    """

    def __init__(self, url: str, client_ports: tuple[int, int], media_kind: MediaKind, user_agent: str) -> None:
        self.media: Media | None = None
        """Known after DESCRIBE."""
        self.clock_hz = 0
        self.server_ports: tuple[int, int] | None = None
        """Known after SETUP, if the server tells them."""
        self.session_id: str | None = None
        self.timeout_s = _DEFAULT_TIMEOUT_S
        self.is_playing = False
        self._url = url
        self._base = url
        self._control_url = url
        self._client_ports = client_ports
        self._kind = media_kind
        self._user_agent = user_agent
        self._public: frozenset[str] = frozenset()
        self._cseq = 0
        self._pending: dict[int, tuple[RtspRequest, Callable[[RtspResponse], RtspRequest | None]]] = {}

    def start(self) -> RtspRequest:
        """The first request."""
        return self._request("OPTIONS", self._url, self._after_options)

    def receive(self, response: RtspResponse) -> RtspRequest | None:
        """Take a response; the next request, or None when there is nothing to say.

        Raises
        ------
        RequestRefusedError
            The server refuses; ``status`` is RTSP's.
        RemoteProtocolError
            The answer lacks what the session needs.
        """
        request, act = self._answered(response)
        if request is None or act is None:
            return None
        is_needed = request.method in ("DESCRIBE", "SETUP", "PLAY")
        if is_needed and not 200 <= response.status < 300:
            raise RequestRefusedError(
                request.method, request.url, response.status, response.reason or "no reason given"
            )
        return act(response)

    def keep_alive(self) -> RtspRequest | None:
        """A request that keeps the session; None when the server offers none (the phone ends with its connection)."""
        for method in ("GET_PARAMETER", "OPTIONS"):
            if self.is_playing and method in self._public:
                return self._request(method, self._control_url, _nothing)
        return None

    def teardown(self) -> RtspRequest:
        """The request that ends the session."""
        self.is_playing = False
        return self._request("TEARDOWN", self._control_url, _nothing)

    # One method per answer

    def _after_options(self, response: RtspResponse) -> RtspRequest:
        # A server without OPTIONS refuses it and still plays.
        methods = response.headers.get("Public", "") if response.status == 200 else ""
        self._public = frozenset(method.strip().upper() for method in methods.split(","))
        return self._request("DESCRIBE", self._url, self._after_describe, Accept="application/sdp")

    def _after_describe(self, response: RtspResponse) -> RtspRequest:
        base = response.headers.get("Content-Base") or response.headers.get("Content-Location") or self._url
        self._base = self._here(base)
        description = SessionDescription.parse(response.body)
        media = self._pick(description)
        self.clock_hz = self._clock_of(media)
        self.media = media
        self._control_url = self._resolved(description.control, self._base)
        transport = f"RTP/AVP;unicast;client_port={self._client_ports[0]}-{self._client_ports[1]}"
        return self._request(
            "SETUP", self._resolved(media.control, self._control_url), self._after_setup, Transport=transport
        )

    def _after_setup(self, response: RtspResponse) -> RtspRequest:
        session, *options = response.headers.get("Session", "").split(";")
        self.session_id = session.strip() or None
        for option in options:
            name, _, value = option.strip().partition("=")
            if name.lower() == "timeout" and value.strip().isdecimal():
                self.timeout_s = max(int(value), 1)
        ports = re.search(r"server_port=(\d{1,5})(?:-(\d{1,5}))?", response.headers.get("Transport", ""))
        if ports:
            first = int(ports[1])
            self.server_ports = (first, int(ports[2]) if ports[2] else first + 1)
        return self._request("PLAY", self._control_url, self._after_play, Range="npt=now-")

    def _after_play(self, _response: RtspResponse) -> None:
        self.is_playing = True

    # Building blocks

    def _request(
        self, method: str, url: str, act: Callable[[RtspResponse], RtspRequest | None], **fields: str
    ) -> RtspRequest:
        self._cseq += 1
        headers = Headers({"CSeq": str(self._cseq), **fields})
        if self.session_id:
            headers["Session"] = self.session_id
        headers["User-Agent"] = self._user_agent
        request = RtspRequest(method, url, headers)
        self._pending[self._cseq] = (request, act)
        return request

    def _answered(
        self, response: RtspResponse
    ) -> tuple[RtspRequest | None, Callable[[RtspResponse], RtspRequest | None] | None]:
        """The request that this answers. Without a CSeq (the phone's library leaves it out of errors) the oldest."""
        number = response.headers.get("CSeq", "").strip()
        if number.isdecimal():
            return self._pending.pop(int(number), (None, None))
        if not self._pending:
            return None, None
        return self._pending.pop(min(self._pending))

    def _pick(self, description: SessionDescription) -> Media:
        for media in description.media:
            if media.kind == self._kind:
                return media
        if self._kind == "application":
            # Some servers announce gaze as another kind; it is alone in its description.
            return description.media[0]
        kinds = ", ".join(media.kind for media in description.media)
        raise RemoteProtocolError("SDP", f"no {self._kind} in the description of {self._url}, only {kinds}")

    def _clock_of(self, media: Media) -> int:
        for payload_type in media.payload_types:
            if payload_type in media.rtpmaps:
                return media.rtpmaps[payload_type].clock_hz
        raise RemoteProtocolError("SDP", f"no rtpmap for the {media.kind} of {self._url}: its clock rate is unknown")

    def _here(self, url: str) -> str:
        """The URL with the host and port that are connected to."""
        if "://" not in url:
            url = f"rtsp://{url}"  # the phone library's own Content-Base has no scheme
        parts = urlsplit(url)
        return urlunsplit((*urlsplit(self._url)[:2], parts.path, parts.query, ""))

    def _resolved(self, control: str | None, base: str) -> str:
        """A control attribute against its base (RFC 2326 section C.1.1), appended as every client and server does."""
        if not control or control == "*":
            return base
        if "://" in control:
            return self._here(control)
        return f"{base.rstrip('/')}/{control.lstrip('/')}"


def _nothing(_response: RtspResponse) -> None:
    """Answers to keep-alives and TEARDOWN change nothing: a stream that ends falls silent, and that is watched."""
