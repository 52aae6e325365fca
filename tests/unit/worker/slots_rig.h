/* Slots with one pipeline, and what was told of it: tests/pipelines/generic, or shell scripts that
 * misbehave. */
#ifndef SLOTS_RIG_H
#define SLOTS_RIG_H

#include "tests/unit/unit.h"

#include "proto/program/process.h"
#include "worker/slots.h"

/* What was told, the latest of each kind. */
typedef struct {
    pt_slots_t *slots;
    size_t ready, progress, results, errors, garbage, deaths;
    size_t results_size;
    size_t errors_size, errors_at_result; /* bytes of standard error */
    double fraction;
    char why[256];
    pt_death_t death;
    bool kill_at_progress;
    char program[512]; /* of its slot, which borrows it */
    size_t declared;
} told_t;

/* As the agent has them. */
void set_signals(void);

/* Runs until *what is at least n; fails the test when it takes too long. */
void run_until(told_t *told, const size_t *what, size_t n);
void run_for(told_t *told, int64_t ms);

void open_limited_program(told_t *told, const char *program, const char *const *arguments,
                          const pt_limits_t *limits);
void open_program(told_t *told, const char *program, const char *const *arguments);
void open_limited_generic(told_t *told, const pt_limits_t *limits);
void open_generic(told_t *told);
void close_slots(told_t *told);

void write_script(char *path, const char *script);

/* A shell script as a pipeline: a file of its own, removed at the end. */
void open_script(told_t *told, const char *script, char path[32]);
void send_job(told_t *told, const char *name);

/* How many living processes there are in the group. */
size_t group_size(pid_t group);
void assert_group_gone(pid_t group);

#endif
