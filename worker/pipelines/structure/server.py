"""The inner process: computes one job after another. What it says is what proto/PIPELINE.md says; the outer process
(pipeline.py) passes it on."""
import os

import msgpack
from molecule import EngineError, Refused, read_chains
from numbering import NumberingError

LARGEST = 65 << 20  # bytes of a message
MESSAGE = 1000  # bytes of an error's words


class Link:
    """Standard output, for messages alone: what the engine's libraries print goes to standard error."""

    def __init__(self):
        self.out = os.dup(1)
        os.dup2(2, 1)

    def send(self, message):
        data = memoryview(msgpack.packb(message))
        while data:
            data = data[os.write(self.out, data):]


class Missing:
    """Instead of a modeller where the engine is not installed."""
    reached = 'nothing'

    def __init__(self, why):
        self.why = why

    def compute(self, *_):
        raise Refused('engine_missing', f'ProMod3 is not there ({self.why}): scripts/install-deps --structure')


def serve(make_modeller):
    link = Link()
    try:
        modeller = make_modeller(lambda words, fraction: link.send({'m': 'progress', 'step': words,
                                                                    'fraction': fraction}))
    except (ImportError, RuntimeError) as error:  # the latter is ProMod3's word for its data that it lacks
        modeller = Missing(error)
    unpacker = msgpack.Unpacker(max_buffer_size=LARGEST)
    while data := os.read(0, 1 << 18):
        unpacker.feed(data)
        for job in unpacker:
            link.send(answer(modeller, job))


def answer(modeller, job):
    inputs = job.get('inputs')
    try:
        chains = read_chains(inputs)
        form = inputs.get('format')
        done = modeller.compute(chains, form, form != 'mab', inputs.get('options', {}))
        return {'m': 'result', 'results': done.results, 'model_versions': done.versions, 'files': done.files}
    except Refused as refused:
        return error(refused.code, refused.message, modeller.reached, refused.at_fault)
    except EngineError as failed:
        return error('engine_failed', f'ProMod3: {failed}', modeller.reached, None)
    except NumberingError as failed:
        return {**error('numbering_failed', str(failed), modeller.reached, None), 'retry': True}
    except MemoryError:
        return {**error('out_of_memory', 'out of memory while modelling', modeller.reached, None), 'retry': True}


def error(code, message, reached, at_fault):
    partial = {'reached': reached, **({'at_fault': at_fault} if at_fault else {})}
    return {'m': 'error', 'code': code, 'message': message.encode()[:MESSAGE].decode(errors='ignore'),
            'retry': False, 'partial': partial}
