"""The running client: sockets, threads and the object that a user holds. Start reading at ``pipeline``."""
