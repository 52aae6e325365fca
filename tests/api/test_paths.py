"""Each file that docs, comments and build files name is there, by its path or, in backticks, by its name alone."""
import re
import subprocess
from pathlib import Path

from harness.system import CHECKOUT

FOLDERS = 'gateway|broker|worker|proto|scripts|tests|docs'
# Of this checkout, not of another folder that ends so; NAME stands for any.
PATH = re.compile(rf'(?<![\w/.$}}-])(?:{FOLDERS})/(?:[\w.-]+/)*[\w.-]*(?:\w|(?=[*{{]))[*{{]?')
NAME = re.compile(r'`([\w-]+\.(?:c|h|py|sql|md))`')
LINK = re.compile(r'\]\(([^)#:]+)(?:#[^)]*)?\)')
SOURCES = ('.md', '.c', '.h', '.py', '.sql', '.txt', '.in', '.toml', '.supp', '')


def listed() -> list[Path]:
    """What git tracks and what is about to be added."""
    said = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard'], cwd=CHECKOUT, check=True,
                          capture_output=True, text=True).stdout.splitlines()
    return [CHECKOUT / line for line in said if (CHECKOUT / line).is_file()]


def texts() -> dict[Path, str]:
    found = {}
    for file in listed():
        if file.suffix in SOURCES and 'corpus' not in file.parts:
            try:
                found[file] = file.read_text()
            except UnicodeDecodeError:
                continue
    return found


def is_there(path: str) -> bool:
    """Or at least one file that begins so: worker/data/ddg_*."""
    if path[-1] in '*{':
        return any(CHECKOUT.glob(f'{path[:-1]}*'))
    return (CHECKOUT / path).exists() or any(part.isupper() for part in path.split('/'))


def test_each_path_that_is_named_is_there():
    missing = [f'{file.relative_to(CHECKOUT)}: {path}' for file, text in texts().items()
               for path in sorted({match for match in PATH.findall(text)}) if not is_there(path)]
    assert not missing, '\n'.join(missing)


def test_each_file_that_is_named_in_backticks_is_there():
    names = {file.name for file in listed()}
    missing = [f'{file.relative_to(CHECKOUT)}: {name}' for file, text in texts().items()
               for name in sorted(set(NAME.findall(text)) - names)]
    assert not missing, '\n'.join(missing)


def test_each_link_of_a_page_leads_somewhere():
    missing = [f'{file.relative_to(CHECKOUT)}: {link}' for file, text in texts().items() if file.suffix == '.md'
               for link in LINK.findall(text) if not (file.parent / link).exists()]
    assert not missing, '\n'.join(missing)
