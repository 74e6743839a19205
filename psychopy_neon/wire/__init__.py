"""Bytes to objects and back: the protocols of the Neon Companion app, without sockets, threads or clocks."""
