#!/usr/bin/python3
"""plant.py TARGET OUT: writes a source of ours with the mistake that planted.toml names, and what it is made from."""
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]

target, out = sys.argv[1:]
plan = tomllib.loads((HERE / 'planted.toml').read_text())[target]
file = SOURCE / plan['file']
text = file.read_text()
if text.count(plan['old']) != 1:
    sys.exit(f"{file}: {plan['old']!r} stands there {text.count(plan['old'])} times; see planted.toml, {target}")
Path(out).write_text(f'#line 1 "{file}"\n' + text.replace(plan['old'], plan['new']))
Path(out + '.d').write_text(f'{out}: {file}\n')
