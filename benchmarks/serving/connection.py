"""An HTTP connection that is kept, as light as Python has it."""

import asyncio
import re
from typing import NamedTuple

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Address(NamedTuple):
    """Where a model is asked.

    Attributes:
        host: of the server.
        port: of REST.
        model: its name.
    """

    host: str
    port: int
    model: str

    @property
    def path(self):
        """The path of the model, which `:predict` follows."""
        return f"/v1/models/{self.model}"


class Connection(asyncio.Protocol):
    """Asks one request after the other; opens itself again where a server closed it.

    Args:
        address: `Address` of the server.
    """

    def __init__(self, address):
        self.address = address
        self.transport = None
        self._received = bytearray()
        self._answer = None

    async def ask(self, payload):
        """Sends a request.

        Args:
            payload: its bytes.

        Returns:
            the status and the body of the answer.

        Raises:
            ConnectionError: if the server closes the connection before it has answered.
            ValueError: if the answer's head does not say how long its body is.
        """
        loop = asyncio.get_running_loop()
        if self.transport is None or self.transport.is_closing():
            await loop.create_connection(
                lambda: self, self.address.host, self.address.port
            )
        self._received.clear()
        self._answer = loop.create_future()
        self.transport.write(payload)
        return await self._answer

    def close(self):
        """Closes the connection, answered or not."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport):
        """Is called when the connection is open."""
        self.transport = transport

    def data_received(self, data):
        """Is called with each part of an answer."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._answer is None or self._answer.done():
            return
        head = bytes(self._received[:end])
        length = LENGTH.search(head)
        if length is None:
            message = f"The answer must have a Content-Length. Received: {head!r}"
            self._answer.set_exception(ValueError(message))
        elif len(self._received) >= (whole := end + 4 + int(length[1])):
            body = bytes(self._received[end + 4 : whole])
            if b"connection: close" in head.lower():
                self.transport.close()
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error):
        """Is called when either side has closed the connection."""
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"closed: {error}"))
