"""Which of several sockets at one port new connections come in at, where the kernel can be told."""

import ctypes
import logging
import socket
import struct

_RETURN_CONSTANT = 0x06
"""The filter's one instruction: BPF_RET with a constant, which is the number of a socket.  Source: linux/filter.h."""
_SO_ATTACH_REUSEPORT_CBPF = 51
"""Source: Linux, asm-generic/socket.h; Python has no name for it."""

_log = logging.getLogger(__name__)


def steer(listening: socket.socket, number: int) -> None:
    """Lets new connections come in at socket ``number``, in the order of their opening, of those at the port.

    Without such a socket, or where the kernel takes no such filter, they are spread over all of them.
    """
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, number))
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
    except OSError as error:
        _log.warning("connections cannot be steered: %s", error, extra={"action": "reload_certificate"})
