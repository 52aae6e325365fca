#!/usr/bin/python3
"""Writes headers.jsonl: headers as hex, made by another msgpack than the programs use.

Each line is {"name", "hex", "fields"} for a header that must be read so, or {"name", "hex", "error"} for one
that must be refused. Bytes stand in JSON as "hex:…". Run it after a change of PROTOCOL.md:
    /usr/bin/python3 proto/vectors/make.py > proto/vectors/headers.jsonl
"""
import json

import msgpack

JOB = bytes(range(16))
ORG = bytes(range(16, 32))
INSTANCE = bytes(range(32, 48))
SESSION = b"\x01\x02\x03\x04\x05\x06\x07\x08"
AT = 1795500000123456

A_JOB = {"session": SESSION, "job_id": JOB, "attempt": 1}
TOPIC = {"job_id": JOB, "org_id": ORG, "job_type": "humanization", "attempt": 2, "status": "running", "at": AT}

VALID = {
    "hello of a gateway": {"m": "hello", "role": "gateway", "machine": "g1", "instance": INSTANCE},
    "hello of a worker": {
        "m": "hello", "role": "worker", "machine": "w1", "instance": INSTANCE, "slots": {"humanization": 4},
        "leases": [[JOB, 3, "humanization"]], "unsettled": []},
    "welcome": {"m": "welcome", "session": SESSION, "instance": INSTANCE, "max": 131072, "interval": 1000},
    "hello?": {"m": "hello?"},
    "hello? with a reason": {"m": "hello?", "reason": "too many peers"},
    "job": {"m": "job", **A_JOB, "org_id": ORG, "job_type": "stability"},
    "job, of high priority": {"m": "job", **A_JOB, "org_id": ORG, "job_type": "stability", "priority": 0, "weight": 3},
    "job, large inputs": {"m": "job", **A_JOB, "org_id": ORG, "job_type": "stability", "size": 70000,
                          "digest": bytes(range(100, 132))},
    "fetch": {"m": "fetch", **A_JOB, "offset": 65536},
    "chunk": {"m": "chunk", **A_JOB, "offset": 65536},
    "credit": {"m": "credit", "session": SESSION, "credit": {"humanization": 70, "structure": 0}},
    "beat": {"m": "beat", "session": SESSION},
    "beat of the leader": {"m": "beat", "session": SESSION, "leader": True},
    "beat of a broker": {"m": "beat", "session": SESSION, "slots": {"humanization": 4, "structure": 0}},
    "stop": {"m": "stop", **A_JOB},
    "settled": {"m": "settled", **A_JOB, "outcome": "committed"},
    "settled, refused": {"m": "settled", **A_JOB, "outcome": "refused", "reason": "a number that is not finite"},
    "have?": {"m": "have?", "session": SESSION, "round": 7, "jobs": [[JOB, 1, "humanization"], [ORG, 2, "structure"]]},
    "gone": {"m": "gone", **A_JOB, "certain": False, "reason": "silent"},
    "gone, handed back": {"m": "gone", **A_JOB, "certain": True, "handed_back": True},
    "bye": {"m": "bye", "session": SESSION},
    "status, started": {"m": "status", **TOPIC, "type": "started"},
    "status, progress": {"m": "status", **TOPIC, "type": "progress", "step": "germline search", "fraction": 0.25},
    "result": {"m": "result", **TOPIC, "status": "completed", "started_at": AT - 5},
    "result, failed": {"m": "result", **TOPIC, "status": "failed", "started_at": AT - 5, "code": "not_an_antibody",
                       "message": "chain 1 is no variable domain – é", "retry": False},
    "result, large": {"m": "result", **TOPIC, "status": "completed", "started_at": AT - 5, "size": 2**26,
                      "digest": bytes(range(100, 132))},
    "log": {"m": "log", "job_id": JOB, "org_id": ORG, "job_type": "humanization", "attempt": 2, "at": AT, "offset": 0},
    "alive": {"m": "alive", "instance": INSTANCE},
    "declare": {"m": "declare", "instance": INSTANCE, "job_type": "cdr_length"},
    "declare, with its worker's name": {"m": "declare", "instance": INSTANCE, "job_type": "cdr_length", "machine": "w1"},
    "event": {"m": "event", **TOPIC, "status": "pending", "type": "created", "seq": 1, "timeline": 1, "waiting": True},
    "event, with the submission's": {
        "m": "event", **TOPIC, "status": "pending", "type": "created", "seq": 1, "timeline": 1,
        "variant_id": INSTANCE, "request": "r-1"},
    "edge": {"m": "edge", "org_id": ORG, "seq": 2**40, "timeline": 2},
}


def pack(header: dict) -> bytes:
    return msgpack.packb({"v": 1, **header}, use_bin_type=True)


def plain(value):
    if isinstance(value, bytes):
        return "hex:" + value.hex()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


beat = VALID["beat"]
INVALID = {
    "nothing": b"",
    "an array": msgpack.packb([1, 2]),
    "cut off": pack(VALID["job"])[:-3],
    "something behind it": pack(beat) + b"\x00",
    "a reserved byte": b"\xc1",
    "an extension type": msgpack.packb({"v": 1, "m": "beat", "session": msgpack.ExtType(1, SESSION)}),
    "a head that promises four thousand million": b"\xdd\xff\xff\xff\xff",
    "a map that promises as many": b"\xdf\xff\xff\xff\xff\xa1v\x01",
    "nested too deeply": b"\x82\xa1v\x01\xa1m" + b"\x91" * 40 + b"\xc0",
    "another version": msgpack.packb({"v": 2, **beat}),
    "no version": msgpack.packb(beat),
    "m before v": msgpack.packb({"m": "beat", "v": 1, "session": SESSION}),
    "an unknown verb": pack({"m": "helloo", "session": SESSION}),
    "a verb that is no text": pack({"m": 7, "session": SESSION}),
    "a field is missing": pack({"m": "job", **A_JOB, "org_id": ORG}),
    "a session of 7 bytes": pack({"m": "beat", "session": SESSION[:7]}),
    "a session that is text": pack({"m": "beat", "session": "12345678"}),
    "an id of 15 bytes": pack({"m": "stop", **A_JOB, "job_id": JOB[:15]}),
    "a negative attempt": pack({"m": "stop", **A_JOB, "attempt": -1}),
    "an attempt above 2^31": pack({"m": "stop", **A_JOB, "attempt": 2**31}),
    "a job type with a dot": pack({"m": "job", **A_JOB, "org_id": ORG, "job_type": "a.b"}),
    "a job type in capitals": pack({"m": "job", **A_JOB, "org_id": ORG, "job_type": "Structure"}),
    "an empty job type": pack({"m": "job", **A_JOB, "org_id": ORG, "job_type": ""}),
    "a job type of 32 bytes": pack({"m": "job", **A_JOB, "org_id": ORG, "job_type": "a" * 32}),
    "a fraction of 1.5": pack({"m": "status", **TOPIC, "type": "progress", "fraction": 1.5}),
    "a fraction that is no number": pack({"m": "status", **TOPIC, "type": "progress", "fraction": float("nan")}),
    "a time after the year 9999": pack({"m": "status", **TOPIC, "type": "started", "at": 2**62}),
    "a reason with a NUL": pack({"m": "bye", "session": SESSION, "reason": "a\0b"}),
    "a reason that is not UTF-8": b"\x84\xa1v\x01\xa1m\xa3bye\xa7session\xc4\x08" + SESSION + b"\xa6reason\xa2\xc3\x28",
    "a reason of 1,001 bytes": pack({"m": "bye", "session": SESSION, "reason": "a" * 1001}),
    "1,001 jobs": pack({"m": "have?", "session": SESSION, "round": 1, "jobs": [[JOB, 1, "a"]] * 1001}),
    "a job of two parts": pack({"m": "have?", "session": SESSION, "round": 1, "jobs": [[JOB, 1]]}),
    "65 job types": pack({"m": "credit", "session": SESSION, "credit": {f"t{i}": 1 for i in range(65)}}),
    "a priority of 3": pack({**VALID["job"], "priority": 3}),
    "a negative priority": pack({**VALID["job"], "priority": -1}),
    "a weight of 0": pack({**VALID["job"], "weight": 0}),
    "a weight of 101": pack({**VALID["job"], "weight": 101}),
    "large inputs that are not large": pack({**VALID["job, large inputs"], "size": 65536}),
    "larger inputs than there may be": pack({**VALID["job, large inputs"], "size": 2**26 + 1}),
    "a digest of 31 bytes": pack({"m": "result", **TOPIC, "status": "completed", "started_at": AT, "size": 70000,
                                  "digest": bytes(31)}),
    "a declaration without its job type": pack({"m": "declare", "instance": INSTANCE}),
    "a chunk without its place": pack({"m": "chunk", **A_JOB}),
    "a field twice": b"\x84\xa1v\x01\xa1m\xa4beat" + (b"\xa7session\xc4\x08" + SESSION) * 2,
}

for name, header in VALID.items():
    print(json.dumps({"name": name, "hex": pack(header).hex(), "fields": plain({"v": 1, **header})}))
extra = {"v": 1, "m": "beat", "session": SESSION, "new": {"deep": [1, 2.5, None]}}
print(json.dumps({"name": "an unknown key is passed over", "hex": msgpack.packb(extra).hex(), "fields": plain(
    {"v": 1, **beat})}))
for name, data in INVALID.items():
    print(json.dumps({"name": name, "hex": data.hex(), "error": True}))
