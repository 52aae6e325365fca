"""PROTOCOL.md, section 8: each certificate at each of the broker's four sockets, and what it may say there."""
import signal
import subprocess
import time
import uuid

import pytest
import zmq

from broker_peers import BUILD, CHECKOUT, TYPE, Broker, Gateway, Peer, Worker, connected, header, pump, wait
from curve_keys import Folder
from curve_peers import ORG, OTHER, Listener, Publisher, message, wait_until

NOT_AUTHORISED = 'this certificate is not authorised here'
WRONG_SOCKET = 'this role has no business on this socket'
NOOP = CHECKOUT / 'tests' / 'pipelines' / 'noop'
ROLES = {'gateway': {'gateways', 'events-in', 'events'}, 'worker': {'workers', 'events-in'}, 'subscriber': {'events'},
         'operator': {'events'}, 'stranger': set(), 'nobody': set()}


class Place:
    """A broker with keys, and keys of every kind."""

    def __init__(self, path):
        self.folder = Folder(path / 'keys')
        self.log = path / 'broker.log'
        add = self.folder.add
        self.keys = {
            'gateway': add('gateway', 'gateway'),
            'worker': add('worker', 'worker', job_types=f'{TYPE} stability'),
            'subscriber': add('subscriber', 'subscriber', org=ORG),
            'operator': add('operator', 'subscriber', org='*'),
            'stranger': self.folder.stranger(),
            'nobody': None}
        self.broker = Broker('--keys', str(self.folder.path), log=self.log.open('wb'))

    def dropped(self, socket, reason):
        return self.broker.metric(f'paratope_broker_dropped_total{{socket="{socket}",reason="{reason}"}}')

    def refused(self, reason):
        return self.broker.metric(f'paratope_broker_refused_total{{socket="all",reason="{reason}"}}')

    def publisher(self, role):
        """One that is heard already."""
        publisher = Publisher(self.broker, self.keys[role])
        listener = Listener(self.broker, self.keys['operator'], 'alive.')
        listener.wait('alive', lambda: publisher.say('alive'))
        listener.close()
        return publisher

    def listener(self, role, *prefixes, **more):
        return Listener(self.broker, self.keys[role], *prefixes, **more)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp('curve'))
    yield place
    status, _ = place.broker.close()
    assert status == 0


@pytest.fixture
def own_place(tmp_path):
    """For what adds and removes."""
    place = Place(tmp_path)
    yield place
    status, _ = place.broker.close()
    assert status == 0


# Who may connect where

def attempt(place, door, keys):
    """Opens a socket as a client of that door would; a function that says whether it got anything."""
    broker = place.broker
    if door in ('gateways', 'workers'):
        socket = connected(zmq.DEALER, broker.endpoints[door], keys)
        role = door.removesuffix('s')
        more = {'slots': {TYPE: 1}} if role == 'worker' else {}
        socket.send(header('hello', role=role, machine=str(uuid.uuid4()), instance=uuid.uuid4().bytes, **more))
        return socket, lambda: socket.poll(0)
    if door == 'events':
        socket = connected(zmq.SUB, broker.endpoints[door], keys)
        socket.subscribe(f'event.{ORG}.'.encode())
        return socket, lambda: socket.poll(0)
    publisher = Publisher(broker, keys)
    listener = place.listener('operator', 'alive.')

    def heard():
        return publisher.say('alive') in listener.topics(0.05)
    return publisher.socket, heard


def test_each_certificate_enters_where_its_role_works_and_nowhere_else(place):
    publisher = place.publisher('gateway')
    before = {reason: place.refused(reason) for reason in (NOT_AUTHORISED, WRONG_SOCKET)}
    attempts = {(role, door): attempt(place, door, place.keys[role])
                for role in ROLES for door in ('gateways', 'workers', 'events-in', 'events')}
    entered = set()
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        publisher.say('event')
        entered |= {who for who, (_, got) in attempts.items() if who not in entered and got()}
        if len(entered) >= sum(map(len, ROLES.values())) and place.refused(WRONG_SOCKET) - before[WRONG_SOCKET] >= 6:
            break
    assert entered == {(role, door) for role, doors in ROLES.items() for door in doors}
    assert place.refused(NOT_AUTHORISED) - before[NOT_AUTHORISED] >= 4   # the stranger, at four doors
    assert place.refused(WRONG_SOCKET) - before[WRONG_SOCKET] >= 6
    for socket, _ in attempts.values():
        socket.close()
    publisher.close()


def test_a_refusal_is_logged_once_a_key_with_what_it_takes_to_mend_it(place):
    stranger = place.folder.stranger()
    before = place.refused(NOT_AUTHORISED)
    socket = connected(zmq.DEALER, place.broker.endpoints['workers'], stranger)
    wait_until(lambda: place.refused(NOT_AUTHORISED) >= before + 3, what='three refusals')
    socket.close()
    lines = [line for line in place.log.read_text().splitlines() if stranger.public.decode() in line]
    assert len(lines) == 1 and '"socket":"workers"' in lines[0] and NOT_AUTHORISED in lines[0]


def test_a_plain_broker_and_a_client_with_keys_do_not_understand_each_other(place):
    plain = Broker()
    socket = connected(zmq.DEALER, plain.endpoints['gateways'], place.keys['gateway'])
    socket.send(header('hello', role='gateway', machine='m', instance=bytes(16)))
    assert not socket.poll(500)
    socket.close()
    assert plain.close()[0] == 0


# What a worker may say

def test_a_hello_for_another_job_type_is_refused_with_the_reason(place):
    for more in ({'slots': {'immunogenicity': 1}}, {'slots': {TYPE: 1, 'immunogenicity': 1}},
                 {'slots': {TYPE: 1}, 'leases': [[uuid.uuid4().bytes, 1, 'immunogenicity']]},
                 {'slots': {TYPE: 1}, 'unsettled': [[uuid.uuid4().bytes, 1, 'immunogenicity']]}):
        peer = Peer(place.broker.endpoints['workers'], 'worker', keys=place.keys['worker'], **more)
        assert 'other job types' in peer.wait_for('hello?')['reason']
        assert not peer.of('welcome')
        peer.close()


def test_the_program_says_why_its_hello_is_refused(place, tmp_path):
    log = tmp_path / 'worker.log'
    worker = subprocess.Popen(
        [BUILD / 'bin' / 'paratope-worker', '--keys', place.folder.machine('worker'), '--name', 'tested',
         '--brokers', place.broker.endpoints['workers'], '--events-in', place.broker.endpoints['events-in'],
         '--slots', f'{TYPE}=1 other=1', '--pipeline', f'{TYPE}={NOOP}', '--pipeline', f'other={NOOP}'],
        stderr=log.open('wb'))
    try:
        wait_until(lambda: 'the certificate is for other job types' in log.read_text(), what='reason')
    finally:
        worker.terminate()
        worker.wait(20)


def test_credit_for_another_job_type_is_dropped(place):
    worker = Worker(place.broker, keys=place.keys['worker'])
    before = place.dropped('workers', 'the certificate is for other job types')
    worker.say('credit', credit={'immunogenicity': 5})
    wait_until(lambda: place.dropped('workers', 'the certificate is for other job types') > before, what='drop')
    worker.close()


@pytest.mark.parametrize('role, says, hears', [
    ('worker', [('status',), ('result',), ('log',), ('declare',), ('alive',), ('status', ORG, 'stability')],
     [('declare', ORG, 'immunogenicity'), ('event',), ('edge',), ('status', ORG, 'immunogenicity'), ('result', ORG, 'immunogenicity'),
      ('log', ORG, 'immunogenicity'), ('result', ORG, 'humanization2'), ('result', ORG, 'humanizatio')]),
    ('gateway', [('event',), ('edge',), ('alive',)], [('status',), ('result',), ('log',), ('declare',)])])
def test_what_each_role_may_publish(place, role, says, hears):
    """`hears`: what the broker drops."""
    publisher = place.publisher(role)
    listener = place.listener('operator', '')
    listener.wait('alive', lambda: publisher.say('alive'))
    allowed = {publisher.say(*arguments) for arguments in says}
    forbidden = {publisher.say(*arguments) for arguments in hears}
    last = publisher.say('alive')
    heard = set()
    wait_until(lambda: heard.update(listener.topics()) or last in heard, what='the last one')
    assert allowed <= heard and not forbidden & heard
    for socket in (publisher, listener):
        socket.close()


def test_a_name_in_session_belongs_to_its_certificate(own_place):
    """Else each worker could have any other's leases taken away."""
    thief = own_place.folder.add('thief', 'worker', job_types=TYPE)
    gateway = Gateway(own_place.broker, leader=True, keys=own_place.keys['gateway'])
    owner = Worker(own_place.broker, keys=own_place.keys['worker'], machine='the-machine')
    wait(lambda: gateway.credit, gateway, owner)
    job = gateway.job()
    owner.wait_for('job', others=[gateway])
    other = Peer(own_place.broker.endpoints['workers'], 'worker', machine='the-machine', keys=thief, slots={TYPE: 1})
    wait(lambda: other.of('hello?'), gateway, owner, other)
    assert 'another certificate' in other.of('hello?')[0]['reason']
    gateway.say('have?', round=1, jobs=[[job, 1, TYPE]])
    assert gateway.wait_for('have?', others=[owner])['jobs'] == [[job, 1, TYPE]]
    for peer in (gateway, owner, other):
        peer.close()


def test_the_largest_frame_passes_encrypted(place):
    """libzmq counts the encrypted bytes against ZMQ_MAXMSGSIZE."""
    gateway = Gateway(place.broker, keys=place.keys['gateway'])
    bare = header('beat', session=gateway.session, more=b'')
    filled = header('beat', session=gateway.session, more=bytes(131072 - len(bare) - 3))
    assert len(filled) == 131072
    before = place.broker.metric('paratope_broker_messages_total{socket="gateways",way="in",verb="beat"}')
    gateway.socket.send(filled)
    wait_until(lambda: place.broker.metric(
        'paratope_broker_messages_total{socket="gateways",way="in",verb="beat"}') > before, what='large beat')
    gateway.close()


# What a subscriber may hear

TRICKS = ['', 'e', 'event', 'event.', f'event.{ORG}', f'event.{str(ORG)[:20]}', f'event.{ORG}\0',
          f'event.{str(ORG)[:-1]}.', f'event.{str(ORG).upper()}.', f'event.{OTHER}.', f'event..{ORG}.',
          f'edge.{OTHER}.', 'edge.', f'edge.{ORG}', f'status.{OTHER}.', 'status.', f'result.{OTHER}.', 'result.',
          f'log.{OTHER}.', 'log.', 'alive.', 'declare.', f'declare.{TYPE}.', b'\0', b'\xff\xfe', b'e' * 900]


@pytest.mark.parametrize('kind', [zmq.SUB, zmq.XSUB])
def test_a_subscriber_hears_its_organisation_and_nothing_else(place, kind):
    gateway, worker = place.publisher('gateway'), place.publisher('worker')
    everything = place.listener('operator', '')
    listener = place.listener('subscriber', *TRICKS, kind=kind)
    for verb in ('event', 'edge', 'status', 'result', 'log'):
        listener.subscribe(f'{verb}.{ORG}.')
    listener.wait('edge', lambda: gateway.say('edge'))
    everything.wait('edge', lambda: gateway.say('edge'))
    said = {who: {speaker.say(verb, who) for speaker, verbs in
                  ((gateway, ('event', 'edge')), (worker, ('status', 'result', 'log'))) for verb in verbs}
            for who in (OTHER, ORG)}
    gateway.say('alive')
    worker.say('declare')
    heard_by_all, heard = set(), set()
    wait_until(lambda: heard_by_all.update(everything.topics()) or said[ORG] | said[OTHER] <= heard_by_all)
    wait_until(lambda: heard.update(listener.topics()) or said[ORG] <= heard, what='own topics')
    heard.update(listener.topics(0.3))
    assert heard == said[ORG]
    for one in (gateway, worker, everything, listener):
        one.close()


def test_narrower_subscriptions_inside_the_organisation_work(place):
    gateway = place.publisher('gateway')
    listener = place.listener('subscriber', f'event.{ORG}.{TYPE}.')
    topic = listener.wait('event', lambda: gateway.say('event'))
    assert topic.startswith(f'event.{ORG}.{TYPE}.'.encode())
    gateway.close()
    listener.close()


def test_nobody_ends_the_subscription_of_another(place):
    gateway = place.publisher('gateway')
    victim = place.listener('operator', 'event.', f'event.{ORG}.')
    victim.wait('event', lambda: gateway.say('event'))
    evil = place.listener('subscriber', f'event.{ORG}.', kind=zmq.XSUB)
    evil.wait('event', lambda: gateway.say('event'))
    for prefix in ('event.', f'event.{ORG}.', f'event.{ORG}.', '', f'event.{OTHER}.', 'event.'):
        evil.subscribe(prefix, on=False)
    wait_until(lambda: gateway.say('event') and not evil.topics(0.3), what='silence')
    victim.topics()
    victim.wait('event', lambda: gateway.say('event', OTHER))
    victim.wait('event', lambda: gateway.say('event', ORG))
    for one in (gateway, victim, evil):
        one.close()


def test_a_subscription_is_never_entered_for_another_connection(place):
    """Whatever is no subscription shifts libzmq's memory of who subscribed (broker/subscribers.h), if others come
    before it was read: so the broker is stopped meanwhile, and has other things to do when it goes on."""
    gateway, before = place.publisher('gateway'), place.dropped('events', 'not a subscription')
    stolen = []
    for _ in range(10):
        operator = place.listener('operator', 'edge.')
        evil = [place.listener('subscriber', f'edge.{ORG}.', kind=zmq.XSUB) for _ in range(2)]
        for one in (operator, *evil):
            one.wait('edge', lambda: gateway.say('edge'))
        place.broker.process.send_signal(signal.SIGSTOP)
        for _ in range(900):
            gateway.say('alive')
        for act in (lambda: evil[0].socket.send(b'no subscription'), lambda: operator.subscribe('event.'),
                    lambda: evil[1].subscribe(f'event.{ORG}.')):
            time.sleep(0.03)
            act()
        time.sleep(0.03)
        place.broker.process.send_signal(signal.SIGCONT)
        operator.wait('event', lambda: gateway.say('event', OTHER))
        stolen += [topic for topic in evil[0].topics() + evil[1].topics(0.05) if str(OTHER).encode() in topic]
        for one in (operator, *evil):
            one.close()
    assert not stolen
    assert place.dropped('events', 'not a subscription') >= before + 10
    gateway.close()


def test_connections_that_end_before_their_subscription_is_read_do_no_harm(place):
    """libzmq would enter it for memory that is free again; valgrind sees that, a crash is luck."""
    gateway = place.publisher('gateway')
    lasting = place.listener('operator', 'event.')
    lasting.wait('event', lambda: gateway.say('event'))
    process = place.broker.process.pid
    context = zmq.Context()
    for round_ in range(300):
        hasty = context.socket(zmq.SUB)
        hasty.setsockopt(zmq.LINGER, 0)
        place.keys['operator'].apply(hasty)
        hasty.connect(place.broker.endpoints['events'])
        hasty.subscribe(b'event.')
        time.sleep(0.002 * (round_ % 5))
        hasty.close()
        gateway.say('event')
    context.destroy(linger=0)
    lasting.wait('event', lambda: gateway.say('event'))
    assert place.broker.process.poll() is None and place.broker.process.pid == process
    gateway.close()
    lasting.close()


def test_subscriptions_without_end_end_the_connection_and_no_other(place):
    gateway = place.publisher('gateway')
    lasting = place.listener('operator', 'event.')
    lasting.wait('event', lambda: gateway.say('event'))
    before = place.dropped('events', 'too many subscriptions')
    greedy = place.listener('subscriber', f'event.{ORG}.', kind=zmq.XSUB)
    greedy.wait('event', lambda: gateway.say('event'))
    for n in range(1100):
        greedy.subscribe(f'event.{ORG}.{n}')
        if n % 200 == 0:
            time.sleep(0.05)  # a client drops what is beyond its high-water mark
    wait_until(lambda: place.dropped('events', 'too many subscriptions') > before, what='an end')
    greedy.close()
    lasting.wait('event', lambda: gateway.say('event'))
    gateway.close()
    lasting.close()


# Taking back and adding, without a restart

def test_a_removed_worker_is_out_at_once_and_its_jobs_are_others(own_place):
    spare = own_place.folder.add('spare', 'worker', job_types=TYPE)
    gateway = Gateway(own_place.broker, leader=True, keys=own_place.keys['gateway'])
    worker = Worker(own_place.broker, keys=own_place.keys['worker'], slots=1)
    wait(lambda: gateway.credit, gateway, worker)
    job = gateway.job()
    worker.wait_for('job', others=[gateway])
    began = time.monotonic()
    own_place.folder.remove('worker')
    wait(lambda: gateway.of('gone'), gateway, worker)
    print(f'out after {time.monotonic() - began:.2f} s')
    assert gateway.of('gone')[0]['job_id'] == job and not gateway.of('gone')[0]['certain']
    listener = Listener(own_place.broker, own_place.keys['operator'], 'result.', 'alive.')
    late = message('result')
    worker.pub.send_multipart(late)
    other = Worker(own_place.broker, keys=spare)
    gateway.job()
    other.wait_for('job', others=[gateway])
    mark = Publisher(own_place.broker, spare)
    listener.wait('alive', lambda: mark.say('alive'))
    assert late[0] not in listener.topics(0.2)
    worker.seen.clear()
    worker.hello()
    pump(1, gateway, other, worker)
    assert not worker.of('welcome')
    for one in (gateway, worker, other, listener, mark):
        one.close()


def test_a_removed_subscriber_hears_no_more_and_a_removed_gateway_says_no_more(own_place):
    gateway, lasting = own_place.publisher('gateway'), own_place.listener('operator', 'event.')
    listener = own_place.listener('subscriber', f'event.{ORG}.')
    listener.wait('event', lambda: gateway.say('event'))
    lasting.wait('event', lambda: gateway.say('event'))
    own_place.folder.remove('subscriber')
    began = time.monotonic()
    wait_until(lambda: gateway.say('event') and not listener.topics(0.3), what='silence')
    print(f'silent after {time.monotonic() - began:.2f} s')
    lasting.wait('event', lambda: gateway.say('event'))
    assert not listener.topics(1)
    own_place.folder.remove('gateway')
    wait_until(lambda: gateway.say('event') and not lasting.topics(0.3), what='silence')
    for one in (gateway, lasting, listener):
        one.close()


def test_an_added_certificate_gets_in_without_anybody_starting_anew(own_place, tmp_path):
    stranger = own_place.folder.stranger()
    gateway = own_place.publisher('gateway')
    listener = Listener(own_place.broker, stranger, f'event.{OTHER}.')
    worker = Peer(own_place.broker.endpoints['workers'], 'worker', keys=stranger, slots={TYPE: 1})
    wait_until(lambda: own_place.refused(NOT_AUTHORISED) >= 2, what='refusals')
    public = tmp_path / 'theirs.key'
    public.write_text(f'metadata\n    role = "gateway"\ncurve\n    public-key = "{stranger.public.decode()}"\n')
    own_place.folder.run('add', 'guest', '--role=subscriber', f'--org={OTHER}', f'--public={public}')
    began = time.monotonic()
    listener.wait('event', lambda: gateway.say('event', OTHER))
    print(f'in after {time.monotonic() - began:.2f} s')
    assert not worker.socket.poll(500), "the file's own metadata must not count"
    for one in (gateway, listener, worker):
        one.close()


def test_a_certificate_that_is_edited_in_place_counts_as_it_is_then(own_place):
    gateway = Gateway(own_place.broker, leader=True, keys=own_place.keys['gateway'])
    worker = Worker(own_place.broker, keys=own_place.keys['worker'])
    listener = own_place.listener('subscriber', f'event.{ORG}.', f'event.{OTHER}.')
    publisher = own_place.publisher('gateway')
    listener.wait('event', lambda: publisher.say('event'))
    for name, old, new in (('worker', f'{TYPE} stability', 'stability'), ('subscriber', str(ORG), str(OTHER))):
        file = own_place.folder.authorised(name)
        file.write_text(file.read_text().replace(old, new))
    wait(lambda: worker.of('hello?'), gateway, worker)
    worker.connect()
    wait(lambda: any('reason' in message for message in worker.of('hello?')), gateway, worker)
    listener.wait('event', lambda: publisher.say('event', OTHER))
    listener.topics()
    mine = publisher.say('event', ORG)
    listener.wait('event', lambda: publisher.say('event', OTHER))
    assert mine not in listener.topics(0.2)
    for one in (gateway, worker, listener, publisher):
        one.close()


def test_what_is_wrong_in_the_folder_is_logged_and_harms_nobody(own_place):
    folder = own_place.folder
    gateway = Gateway(own_place.broker, keys=own_place.keys['gateway'])
    folder.authorised('empty').write_text('')
    folder.authorised('nonsense').write_text('\0\xff{{{"\n\t= = =' * 100)
    folder.authorised('half').write_text('curve\n    public-key = "abc"\n')
    folder.authorised('bad-z85').write_text(f'metadata\n    role = "gateway"\ncurve\n    public-key = "{"~" * 40}"\n')
    folder.authorised('no-role').write_text(f'curve\n    public-key = "{folder.stranger().public.decode()}"\n')
    folder.authorised('a-double').write_text(folder.authorised('gateway').read_text().replace('gateway', 'subscriber')
                                             .replace('name =', 'org = "*"\n    name ='))
    folder.authorised('a-double').rename(folder.authorised('zz-double'))
    (folder.path / 'authorised' / 'a-folder.key').mkdir()
    wanted = ('empty', 'nonsense', 'half', 'bad-z85', 'no-role', 'zz-double', 'a-folder')
    wait_until(lambda: all(f'{name}.key' in own_place.log.read_text() for name in wanted), what='a log line for each')
    pump(1.5, gateway)
    assert not gateway.of('hello?'), 'the gateway is still who it was'
    gateway.close()


def test_a_folder_that_is_replaced_is_read_anew(own_place):
    """As by a tool that makes the new one beside it and renames."""
    authorised, fresh = own_place.folder.path / 'authorised', own_place.folder.path / 'fresh'
    publisher, listener = own_place.publisher('gateway'), own_place.listener('subscriber', f'event.{ORG}.')
    listener.wait('event', lambda: publisher.say('event'))
    fresh.mkdir()
    (fresh / 'gateway.key').write_text((authorised / 'gateway.key').read_text())
    authorised.rename(own_place.folder.path / 'old')
    fresh.rename(authorised)
    wait_until(lambda: publisher.say('event') and not listener.topics(0.3), what='silence')
    wait_until(lambda: own_place.broker.metric('paratope_broker_certificates') == 1)
    publisher.close()
    listener.close()
