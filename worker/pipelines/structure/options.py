"""The job's options: what options.json says, and nothing else."""
import json
import re
from pathlib import Path

from molecule import Refused

TITLE, VERSION = 'Structure prediction', '1.1.0'
SCHEMA = (Path(__file__).parent / 'options.json').read_text()
PROPERTIES = json.loads(SCHEMA)['properties']
TYPES = {'string': str, 'boolean': bool, 'number': (int, float), 'array': list}


def read(given):
    """Every option with its value, the default where none was given."""
    if not isinstance(given, dict):
        raise Refused('invalid_options', 'options is no map', '/options')
    for name, value in given.items():
        if name not in PROPERTIES:
            raise Refused('invalid_options', f'there is no option {name!r}: {", ".join(PROPERTIES)}',
                          '/options/' + name.replace('~', '~0').replace('/', '~1'))
        if not valid(PROPERTIES[name], value):
            raise Refused('invalid_options', f'{name} is not what it has to be: {json.dumps(PROPERTIES[name])}',
                          f'/options/{name}')
    return {name: given.get(name, schema['default']) for name, schema in PROPERTIES.items()}


def valid(schema, value):
    """The keywords that options.json uses."""
    if not isinstance(value, TYPES[schema['type']]) or isinstance(value, bool) != (schema['type'] == 'boolean'):
        return False
    if isinstance(value, list):
        return len(value) <= schema['maxItems'] and all(valid(schema['items'], item) for item in value)
    if isinstance(value, str):
        return value in schema.get('enum', [value]) and bool(re.fullmatch(schema.get('pattern', '.*'), value))
    return isinstance(value, bool) or schema['minimum'] <= value <= schema['maximum']
