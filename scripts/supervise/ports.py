"""Free ports that stay ours while their process is down."""
import socket


class Ports:
    """Each port is kept bound, never listened on: no other run gets it, nor does an outgoing
    connection, and our process, which sets SO_REUSEADDR, can bind it as often as it is started."""

    def __init__(self) -> None:
        self.held: list[socket.socket] = []

    def take(self) -> int:
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        holder.bind(('127.0.0.1', 0))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after: not shared with other runs
        self.held.append(holder)
        return holder.getsockname()[1]

    def address(self) -> str:
        return f'127.0.0.1:{self.take()}'

    def endpoint(self) -> str:
        return f'tcp://{self.address()}'
