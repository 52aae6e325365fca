"""The organisation of this home, its token and its example variant: made once, then remembered."""
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from errors import SetupError
from files import replace_file
from processes import Program
from supervisor import Supervisor

EXAMPLE = Path(__file__).parent.parent / 'example.fasta'


@dataclass(frozen=True)
class Tenant:
    org_id: str
    token: str
    variant_id: str
    data: str  # which data folder knows it: a new one must get its own


def ensure(supervisor: Supervisor, gateway: str, database: str, state: Path, data: Path) -> Tenant:
    file = state / 'tenant.json'
    # initdb writes PG_VERSION once; the time tells a new cluster from an old one whose inode it got.
    identity = f'{data} {(data / "PG_VERSION").stat().st_mtime_ns}'
    try:
        known = Tenant(**json.loads(file.read_text()))
        if known.data == identity:
            return known
    except (FileNotFoundError, ValueError, TypeError):
        pass

    def admin(*arguments: str) -> dict[str, str]:
        words = ' '.join(arguments[:1])
        answer = supervisor.call(Program('admin', [gateway, 'admin', '--database', database, *arguments]),
                                 f'paratope-gateway admin {words}')
        try:
            return json.loads(answer.splitlines()[0])
        except (IndexError, ValueError):
            raise SetupError(f'paratope-gateway admin {words} answered {answer[:200]!r}') from None

    org_id = admin('create-organisation', 'example')['org_id']
    token = admin('create-token', org_id, 'scripts/run')['token']
    variant_id = admin('import-variants', org_id, str(EXAMPLE))['variant_id']
    made = Tenant(org_id, token, variant_id, identity)
    replace_file(file, json.dumps(asdict(made)) + '\n', 0o600)
    return made
