"""haproxy in front of all gateways: TLS, health checks, limits. Its configuration is scripts/haproxy.cfg."""
import re
import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

from certificate import Certificate
from errors import SetupError
from files import replace_file
from processes import Program
from supervisor import Child, Supervisor

SHIPPED = Path(__file__).parent.parent / 'haproxy.cfg'
READY = 10.0

# What haproxy connects from. Gateways believe this address alone, which nobody uses by accident.
SOURCE = '127.0.0.2'

# SIGUSR1: takes no more, ends once all is answered. SIGTERM: at once.
ENDS = ((0.0, signal.SIGUSR1), (1.5, signal.SIGTERM), (2.5, signal.SIGKILL))


class Proxy:
    def __init__(self, home: Path, listen: str, log: Path) -> None:
        self.home = home
        self.listen = listen
        self.log = log
        self.certificate = Certificate(home)
        if "'" in str(home):
            raise SetupError(f"--tls cannot be used in {home}, because of the ' in its name: choose another --home DIR")
        self.program = shutil.which('haproxy') or shutil.which('haproxy', path='/usr/sbin:/usr/local/sbin')
        if not self.program:
            raise SetupError('--tls needs haproxy: scripts/install-deps --tls, or apt-get install haproxy')

    @property
    def url(self) -> str:
        return f'https://{self.listen}'

    @property
    def env(self) -> dict[str, str]:
        return {'PARATOPE_TLS_URL': self.url, 'PARATOPE_TLS_CA': str(self.certificate.authority)}

    def start(self, supervisor: Supervisor, gateways: list[tuple[str, str]], stage: int) -> None:
        """`gateways`: where each listens, and where it tells its health."""
        self.certificate.ensure(supervisor)
        file = self.certificate.folder / 'haproxy.cfg'
        replace_file(file, configuration(self.listen, self.certificate.server, gateways))
        supervisor.add(Child(Program(
            'haproxy', [self.program, '-db', '-f', str(file)], log=self.log, cwd=str(self.home),
            env={'PARATOPE_HOME': str(self.home)}), stage, ends=ENDS))

    def wait(self, supervisor: Supervisor) -> None:
        """Until a gateway answers through it."""
        limit = time.monotonic() + READY
        while (why := self._not_ready()) is not None:
            if time.monotonic() > limit:
                raise SetupError(f'haproxy is not ready after {READY:.0f} s: {why}; log: {self.log}')
            supervisor.tick(0.05)

    def _not_ready(self) -> str | None:
        host, port = self.listen.split(':')
        trust = ssl.create_default_context(cafile=str(self.certificate.authority))
        try:
            with socket.create_connection((host, int(port)), 1) as plain, \
                    trust.wrap_socket(plain, server_hostname=host) as secure:
                secure.sendall(b'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
                status = secure.recv(4096).split(b'\r\n')[0].decode(errors='replace')
        except OSError as error:
            return str(error)
        return None if ' 200 ' in status else f'it answers {status!r}'


def configuration(listen: str, certificate: Path, gateways: list[tuple[str, str]]) -> str:
    """The shipped one with our own bind and server lines."""
    quoted = re.sub(r'([\\ "\'#$])', r'\\\1', str(certificate))
    servers = ''.join(f'    server gateway-{number} {main} check port {health.split(":")[1]} source {SOURCE}\n'
                      for number, (main, health) in enumerate(gateways, 1))
    text, binds = re.subn(r'(?m)^    bind \S+ ssl crt \S+', lambda _: f'    bind {listen} ssl crt {quoted}',
                          SHIPPED.read_text())
    text, backends = re.subn(r'(?m)(^    server .*\n)+', lambda _: servers, text)
    assert (binds, backends) == (1, 2), SHIPPED
    return text
