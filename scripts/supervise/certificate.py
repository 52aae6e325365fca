"""A certificate for this machine alone, signed by an authority made for it and forgotten at once."""
import shutil
from pathlib import Path

from errors import SetupError
from processes import Program
from supervisor import Supervisor

DAYS = 825          # more than that some clients refuse
RENEW = 30 * 86400  # seconds before its end
KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

CONFIGURATION = """\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Certificate:
    """The folder `tls` of a home: made whole, then renamed; made anew shortly before it expires."""

    def __init__(self, home: Path) -> None:
        self.folder = home / 'tls'
        self.authority = self.folder / 'ca.pem'  # whoever believes it is sure to speak to this home
        self.server = self.folder / 'server.pem'  # the certificate and its key

    def ensure(self, supervisor: Supervisor) -> None:
        openssl = shutil.which('openssl')
        if not openssl:
            raise SetupError('--tls needs openssl to make a certificate: scripts/install-deps --tls')
        if not self._is_good(supervisor, openssl):
            self._make(supervisor, openssl)

    def _is_good(self, supervisor: Supervisor, openssl: str) -> bool:
        try:
            supervisor.call(Program('openssl', [openssl, 'x509', '-noout', '-checkend', str(RENEW), '-in',
                                                str(self.server)]), "reading the certificate")
        except SetupError:
            return False
        return self.authority.exists()

    def _make(self, supervisor: Supervisor, openssl: str) -> None:
        draft = self.folder.with_name('tls.new')
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        (draft / 'openssl.cnf').write_text(CONFIGURATION)

        def request(section: str, name: str, key: str, certificate: str, *more: str) -> None:
            supervisor.call(Program('openssl', [
                openssl, 'req', '-x509', '-config', 'openssl.cnf', '-extensions', section, '-subj', f'/CN={name}',
                '-days', str(DAYS), *KEY, '-keyout', key, '-out', certificate, *more], cwd=str(draft)),
                f'making the certificate of {name}')

        request('authority', 'Paratope on this machine', 'ca.key', 'ca.pem')
        request('server', 'localhost', 'server.key', 'server.crt', '-CA', 'ca.pem', '-CAkey', 'ca.key')
        server = draft / 'server.pem'
        server.touch(mode=0o600)
        server.write_text((draft / 'server.crt').read_text() + (draft / 'server.key').read_text())
        for name in ('ca.key', 'server.key', 'server.crt', 'openssl.cnf'):
            (draft / name).unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        draft.rename(self.folder)
