"""Deliberate faults: each is a change to one source of the programs, or of a model in this folder, that breaks a promise.

    mutants.py --list           NAME;FILE for each, for CMake
    mutants.py NAME OUTPUT      writes the file as changed

What is to be replaced must stand in the file exactly once, so that a mutant never becomes the original unnoticed.
"""
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    what: str
    file: str
    old: str
    new: str


MUTANTS = {
    # The recorder's rules.
    'forget_fencing': Mutant(
        'an event of another attempt is taken for one of the current', 'gateway/record/fold.c',
        'if (fact->attempt != row->attempt)', 'if (false)'),
    'start_again': Mutant(
        'started_at is the latest start', 'gateway/record/fold.c',
        'static void start(pt_row_t *row, int64_t at, int64_t now)\n{\n    if (row->started_at == 0)',
        'static void start(pt_row_t *row, int64_t at, int64_t now)\n{\n    if (row)'),
    'believe_clocks': Mutant(
        'times of other clocks are taken as they come', 'gateway/record/fold.c',
        'return at < low ? low : at > high ? high : at;', 'return at;'),
    'retry_for_ever': Mutant(
        'a job that fails is tried again however often it has been', 'gateway/record/fold.c',
        'row->tries + 1 < patience->max_tries', 'row->tries < UINT32_MAX'),
    'settle_before_commit': Mutant(
        'a worker is told settled before the commit', 'tests/simulation/recorder.c',
        '    fold(self, locked, range, write);\n',
        '    fold(self, locked, range, write);\n'
        '    for (size_t i = 0; i < range.count; i++)\n'
        '        answer(self, &recorder->batch[range.first + i]);\n'),
    'publish_before_commit': Mutant(
        'an event is published before its commit', 'tests/simulation/recorder.c',
        '    fold(self, locked, range, write);\n',
        '    fold(self, locked, range, write);\n'
        '    for (size_t i = 0; i < range.count; i++) {\n'
        '        int job = job_find(world, &recorder->batch[range.first + i].row.job_id);\n'
        '        recorder->batch[range.first + i].seq =\n'
        '            job < 0 ? 0 : database_last_seq(world, job_at(world, job)->org) + 1;\n'
        '        publish(self, &recorder->batch[range.first + i]);\n'
        '    }\n'),
    # Submission.
    'acknowledge_before_commit': Mutant(
        '202 is answered before the commit', 'tests/simulation/committer.c',
        '    ranges_push(&committer->ranges, 0, committer->count);\n',
        '    ranges_push(&committer->ranges, 0, committer->count);\n'
        '    for (size_t i = 0; i < committer->count; i++)\n'
        '        client_accepted(self->world, self->node, committer->batch[i].job);\n'),
    'send_again': Mutant(
        'a job of an earlier commit without an answer is sent, though the sweep may have sent it',
        'tests/simulation/committer.c',
        'if (item->is_out && made_now && waiter->ticket.link >= 0)',
        'if (item->is_out && waiter->ticket.link >= 0)'),
    # Rounds and losses.
    'no_second_round': Mutant(
        'a job is given up as soon as nobody names it', 'gateway/dispatch/rounds.c',
        'zhashx_insert(self->suspects, &suspect->job_id, suspect);\n    return false;',
        'zhashx_insert(self->suspects, &suspect->job_id, suspect);\n    return true;'),
    'silence_is_an_answer': Mutant(
        'a broker that was lost counts as one that does not hold the job', 'gateway/dispatch/rounds.c',
        'if (self->waiting_for >> broker & 1)\n        end_page(self);',
        'self->waiting_for &= ~((uint32_t)1 << broker);'),
    'silent_gone_is_certain': Mutant(
        'the attempt is raised when a worker fell silent', 'tests/simulation/sweep_ask.c',
        '    pt_rounds_wake(self->sweep.rounds, true);\n    sweep_wake(self);\n',
        '    report_lost(self, job_id, attempt, counts, false);\n'),
    'broker_has_it_all': Mutant(
        'a broker names every job that it is asked for', 'broker/work.c',
        'if (held && held->attempt == ref->attempt)\n            pt_msg_add_ref(&answer, PT_F_JOBS, '
        '&ref->job_id, ref->attempt, held->type->name);',
        'if (!held || held->attempt == ref->attempt)\n            pt_msg_add_ref(&answer, PT_F_JOBS, '
        '&ref->job_id, ref->attempt, ref->job_type);'),
    # The broker.
    'adopt_nothing': Mutant(
        'a broker does not adopt what a worker names at hello', 'broker/sessions.c',
        'if (peer->route.side == PT_WORKERS) {\n        pt_work_adopt(self, peer, former, &msg->leases);\n'
        '        pt_work_adopt(self, peer, former, &msg->unsettled);\n    }\n',
        ''),
    'judge_before_reading': Mutant(
        'silence is judged though something is unread', 'broker/scheduler.c',
        'if (input->drained && self->clock.value', 'if (self->clock.value'),
    'credit_counted_twice': Mutant(
        'each job uses up the credit of two', 'broker/work.c', 'account->received++;', 'account->received += 2;'),
    'settled_stays_here': Mutant(
        'a broker does not pass settled on to the worker', 'broker/work.c',
        'if (held->worker)\n        pt_say_settled(self, held->worker, input->msg);\n', ''),
    # The gateway's links.
    'credit_never_used_up': Mutant(
        'a gateway sends as if nothing had been sent', 'gateway/links/credit.c',
        'take(self, ticket.link, job_type, 1);', 'take(self, ticket.link, job_type, 0);'),
    'edges_unsaid': Mutant(
        'the last number of an organisation is never repeated', 'gateway/links/edges.c',
        '            say(context, &edge->org_id, edge->seq);\n', '            (void)say, (void)context;\n'),
    # The worker.
    'forget_unsettled': Mutant(
        'a worker forgets its endings at a new session', 'worker/agent_session.c',
        '    pt_endings_restart(&self->endings, self->now.ms);\n', '    pt_endings_clear(&self->endings);\n'),
    'hello_without_endings': Mutant(
        'a hello does not name what is unsettled', 'worker/agent_session.c',
        'for (size_t i = 0; i < self->endings.count && i < PT_REFS_MAX; i++)', 'for (size_t i = 0; i < 0; i++)'),
    'say_endings_once': Mutant(
        'an ending is not published again', 'worker/endings.c',
        'ending->due = now + ending->delay;', 'ending->due = INT64_MAX;'),
    'stop_ignored': Mutant(
        'a worker goes on with what was stopped', 'worker/agent_session.c',
        '        jobs_stop(self, &msg->job_id, msg->attempt);\n', ''),
    'keep_for_ever': Mutant(
        'a large result is kept after it was settled', 'worker/agent_large.c',
        '        pt_outputs_unspool(&self->out, job_id, attempt);\n', '        ;\n'),
    'half_is_enough': Mutant(
        'a large result is recorded as soon as some of it has come', 'proto/chunks.c',
        'return self->there == self->size ? judge(self) : PT_CHUNKS_MORE;', 'return PT_CHUNKS_WHOLE;'),
    # Large inputs.
    'inputs_of_another': Mutant(
        'a gateway answers a fetch with the inputs of another job', 'gateway/dispatch/supplies.c',
        'supply->attempt != attempt || !pt_uuid_equal(&supply->job_id, job_id)', 'supply->attempt != attempt'),
    'inputs_without_bound': Mutant(
        'a gateway keeps all inputs that it was asked for', 'gateway/dispatch/supplies.c',
        'while (self->bytes > 0 && self->bytes + size > self->most)', 'while (false)'),
    'inputs_given_up_in_silence': Mutant(
        'a worker to which inputs do not come forgets the job and does not say so', 'worker/agent_inputs.c',
        'inputs_drop(slot);\n    session_gone(self, &slot->job.job_id, slot->job.attempt, why);',
        'inputs_drop(slot);'),
    # Limits, turns, classes.
    'submit_beyond_limits': Mutant(
        'a job is sent as it is submitted, though its organisation or type has a limit',
        'tests/simulation/database_rows.c', '!db_is_limited(world, item->org, item->type)', 'true'),
    'held_for_ever': Mutant(
        'an ending does not wake what a limit keeps back', 'tests/simulation/sweep.c',
        '            sweep->due[type] = 0;\n            any = true;\n', ''),
    'one_keeps_its_turn': Mutant(
        'who has had its turn stands where it stood', 'gateway/dispatch/turns.c',
        'place->next = turn + PT_TURN / weight;', 'place->next = turn;'),
    'newcomer_starts_behind': Mutant(
        'who comes anew has all the turns that the others have had', 'gateway/dispatch/turns.c',
        '    self->now = turn;\n', '    self->now = 0;\n'),
    'class_ignored': Mutant(
        'a broker gives the lowest class first', 'broker/queue.c',
        'size_t priority = 0;\n    while (TAILQ_EMPTY(&turns->jobs[priority]))\n        priority++;',
        'size_t priority = PT_PRIORITIES - 1;\n    while (TAILQ_EMPTY(&turns->jobs[priority]))\n        priority--;'),
    # Logs.
    'log_in_its_wrong_place': Mutant(
        'each piece of a log says that it is the first', 'worker/agent_logs.c', 'about(self, slot, piece.offset, &msg)',
        'about(self, slot, 0, &msg)'),
    'log_without_its_end': Mutant(
        'the last piece of a log is not said with the ending', 'worker/agent_logs.c',
        'for (size_t i = 0; i < count; i++) {\n        pt_msg_t msg;',
        'for (size_t i = 0; i + 1 < count; i++) {\n        pt_msg_t msg;'),
    # Declarations.
    'declared_once': Mutant(
        'a worker declares each job type once and not again', 'worker/agent_declare.c',
        'type->declare_due = now + (now < type->declare_often_until ? OFTEN_MS : REPEAT_MS);',
        'type->declare_due = NEVER;'),
    # Who follows the events.
    'edge_ignored': Mutant(
        'a subscriber does not look at edges', 'tests/simulation/subscriber.c',
        'if (heard->seq <= self->last)', 'if (heard->seq <= self->last || heard->job < 0)'),
}


def mutated(mutant: Mutant) -> str:
    text = (CHECKOUT / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        sys.exit(f'{mutant.file}: {mutant.old!r} stands there {text.count(mutant.old)} times, not once')
    return f'#line 1 "{CHECKOUT / mutant.file}"\n' + text.replace(mutant.old, mutant.new)


def main() -> None:
    if sys.argv[1:] == ['--list']:
        print('\n'.join(f'{name};{mutant.file}' for name, mutant in MUTANTS.items()))
    else:
        name, output = sys.argv[1:]
        Path(output).write_text(mutated(MUTANTS[name]))


if __name__ == '__main__':
    main()
