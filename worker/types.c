#include "worker/types.h"

#include "worker/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 3600
#define TIMEOUT_MOST_S (365 * 24 * 3600)

/* ---- types ------------------------------------------------------------------------------- */

static pt_agent_type_t *find_type(pt_agent_config_t *agent, const char *job_type)
{
    for (size_t i = 0; i < agent->type_count; i++)
        if (strcmp(agent->types[i].job_type, job_type) == 0)
            return &agent->types[i];
    return NULL;
}

/* One that has slots; else the program ends. */
static pt_agent_type_t *demand_type(pt_agent_config_t *agent, const char *job_type,
                                    const char *what, const char *which)
{
    pt_agent_type_t *type = find_type(agent, job_type);
    if (!type || type->slots == 0)
        pt_worker_refuse(what, which);
    return type;
}

static pt_agent_type_t *add_type(pt_agent_config_t *agent, const char *job_type, size_t slots)
{
    if (agent->type_count == PT_TYPES_MAX)
        pt_worker_refuse("too many job types", job_type);
    pt_agent_type_t *type = &agent->types[agent->type_count++];
    pt_job_type_copy(type->job_type, job_type);
    type->slots = slots;
    type->timeout_ms = (int64_t)TIMEOUT_S * 1000;
    return type;
}

static size_t read_number(const char *text, size_t most)
{
    char *end = NULL;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || end == text || *end || n == 0 || n > most || *text == '-')
        pt_worker_refuse("the number must be from 1 up to a sensible one", text);
    return n;
}

/* "TYPE=N": the number. The type is copied. */
static size_t read_count(const char *word, char job_type[PT_TYPE_MAX], size_t most)
{
    const char *equals = strchr(word, '=');
    if (!equals || !pt_job_type_valid(word, (size_t)(equals - word)))
        pt_worker_refuse("not JOB_TYPE=NUMBER", word);
    memcpy(job_type, word, (size_t)(equals - word));
    job_type[equals - word] = 0;
    return read_number(equals + 1, most);
}

/* ---- slots ------------------------------------------------------------------------------- */

static void read_slots(pt_agent_config_t *agent, const char *text)
{
    char word[256], job_type[PT_TYPE_MAX];
    for (size_t n = 0; pt_word(text, n, word, sizeof word); n++) {
        size_t slots = read_count(word, job_type, PT_SLOTS_MAX);
        if (find_type(agent, job_type))
            pt_worker_refuse("a job type twice in --slots", word);
        add_type(agent, job_type, slots);
    }
}

/* Without a program and without a number it is only declared. */
static size_t slots_of(const pt_entry_t *entry)
{
    const char *slots = entry->values[PT_ENTRY_SLOTS];
    return slots ? read_number(slots, PT_SLOTS_MAX) : entry->values[PT_ENTRY_PROGRAM] != NULL;
}

static void add_entry(pt_agent_config_t *agent, const pt_entry_t *entry)
{
    if (find_type(agent, entry->job_type))
        return;
    if (slots_of(entry) == 0 && !entry->values[PT_ENTRY_OPTIONS])
        pt_worker_refuse("a job type in pipelines needs a program, slots or options",
                         entry->job_type);
    add_type(agent, entry->job_type, slots_of(entry));
}

size_t pt_types_slots(const pt_agent_config_t *agent)
{
    size_t total = 0;
    for (size_t i = 0; i < agent->type_count; i++)
        total += agent->types[i].slots;
    return total;
}

/* If nobody says of anything that it is served: one slot of humanization a core. */
static void add_usual(pt_agent_config_t *agent)
{
    static const char job_type[] = "humanization";
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pt_agent_type_t *type = find_type(agent, job_type);
    type = type ? type : add_type(agent, job_type, 0);
    type->slots = cores < 1 ? 1 : cores > 256 ? 256 : (size_t)cores;
}

static void read_all_slots(pt_agent_config_t *agent, const pt_options_t *options,
                           const pt_entry_t *entries, size_t count)
{
    const char *slots = pt_options_get(options, "slots");
    if (slots)
        read_slots(agent, slots);
    for (size_t i = 0; i < count; i++)
        add_entry(agent, &entries[i]);
    if (!slots && pt_types_slots(agent) == 0)
        add_usual(agent);
    if (pt_types_slots(agent) == 0 || pt_types_slots(agent) > PT_SLOTS_MAX)
        pt_worker_refuse("a worker has 1 to 256 slots in all", slots ? slots : "pipelines");
}

/* ---- limits ------------------------------------------------------------------------------ */

static void read_timeouts(pt_agent_config_t *agent, const char *text)
{
    char word[256], job_type[PT_TYPE_MAX];
    for (size_t n = 0; text && pt_word(text, n, word, sizeof word); n++) {
        size_t seconds = read_count(word, job_type, TIMEOUT_MOST_S);
        demand_type(agent, job_type, "a time-out for a job type without slots", word)->timeout_ms =
            (int64_t)seconds * 1000;
    }
}

static void set_limits(pt_agent_type_t *type, const char *limits)
{
    const char *why = pt_limits_read(&type->limits, limits);
    if (why)
        pt_worker_refuse(why, limits);
}

/* Words such as TYPE:memory=2G,cpu=3600. */
static void read_limits(pt_agent_config_t *agent, const char *text)
{
    char word[256];
    for (size_t n = 0; text && pt_word(text, n, word, sizeof word); n++) {
        char *limits = strchr(word, ':');
        if (!limits)
            pt_worker_refuse("not JOB_TYPE:LIMITS", word);
        *limits++ = 0;
        set_limits(demand_type(agent, word, "limits for a job type without slots", word), limits);
    }
}

static void read_entry_limits(pt_agent_config_t *agent, const pt_entry_t *entry)
{
    pt_agent_type_t *type = find_type(agent, entry->job_type);
    const char *timeout = entry->values[PT_ENTRY_TIMEOUT], *limits = entry->values[PT_ENTRY_LIMITS];
    if ((timeout || limits) && type->slots == 0)
        pt_worker_refuse("limits or a time-out for a job type without slots", entry->job_type);
    if (timeout)
        type->timeout_ms = (int64_t)read_number(timeout, TIMEOUT_MOST_S) * 1000;
    if (limits)
        set_limits(type, limits);
}

/* ---- programs ---------------------------------------------------------------------------- */

/* TYPE=PROGRAM of --pipeline, or NULL. */
static const char *given_program(const pt_options_t *options, const char *job_type)
{
    const char *found = NULL, *option;
    size_t size = strlen(job_type);
    for (size_t n = 0; (option = pt_options_nth(options, "pipeline", n)); n++)
        if (strncmp(option, job_type, size) == 0 && option[size] == '=')
            found = option + size + 1;
    return found;
}

static void check_given_programs(const pt_options_t *options, pt_agent_config_t *agent)
{
    const char *option;
    for (size_t n = 0; (option = pt_options_nth(options, "pipeline", n)); n++) {
        char job_type[PT_TYPE_MAX] = "";
        size_t size = strcspn(option, "=");
        if (option[size] != '=' || !option[size + 1] || !pt_job_type_valid(option, size))
            pt_worker_refuse("not JOB_TYPE=PROGRAM", option);
        memcpy(job_type, option, size);
        demand_type(agent, job_type, "a pipeline for a job type without slots", option);
    }
}

/* The words, then each of the entry's (NULL: there is none), ended by NULL; they live as long as
   the program. */
static const char *const *read_arguments(const char *text, const pt_entry_t *entry)
{
    const char **words = calloc(PT_ARGUMENTS_MAX + 1, sizeof *words);
    char word[1024];
    size_t n = 0;
    for (; words && text && pt_word(text, n, word, sizeof word); n++) {
        if (n == PT_ARGUMENTS_MAX)
            pt_worker_refuse("too many arguments", text);
        words[n] = strdup(word);
    }
    for (size_t i = 0; words && entry && i < entry->argument_count; i++) {
        if (n == PT_ARGUMENTS_MAX)
            pt_worker_refuse("too many arguments", entry->job_type);
        words[n++] = entry->argument[i];
    }
    return words;
}

static const pt_entry_t *find_entry(const pt_entry_t *entries, size_t count, const char *job_type)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].job_type, job_type) == 0)
            return &entries[i];
    return NULL;
}

/* paratope-TYPE beside the usual program, if there is one: a pipeline that is a program of its own.
 */
static const char *own_program(const char *usual, const char *job_type)
{
    char *path = NULL;
    int folder = (int)(strrchr(usual, '/') - usual);
    if (asprintf(&path, "%.*s/paratope-%s", folder, usual, job_type) < 0)
        pt_worker_refuse("out of memory", job_type);
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static void read_program(pt_worker_config_t *config, size_t n, const char *given,
                         const pt_entry_t *entry, const char *usual)
{
    const char *program = entry ? entry->values[PT_ENTRY_PROGRAM] : NULL;
    const char *own = own_program(usual, config->agent.types[n].job_type);
    config->programs[n] = given ? given : program ? program : own ? own : usual;
    if (given || (!program && own))
        config->arguments[n] = NULL;
    else if (program)
        config->arguments[n] = read_arguments(entry->values[PT_ENTRY_ARGUMENTS], entry);
    else
        config->arguments[n] = read_arguments(config->agent.types[n].job_type, NULL);
}

void pt_types_read(pt_worker_config_t *config, const pt_options_t *options, const char *usual)
{
    pt_agent_config_t *agent = &config->agent;
    pt_entry_t entries[PT_TYPES_MAX];
    size_t count = pt_entries_read(entries, options);
    read_all_slots(agent, options, entries, count);
    for (size_t i = 0; i < count; i++) {
        read_entry_limits(agent, &entries[i]);
        pt_entry_declare(&entries[i], find_type(agent, entries[i].job_type));
    }
    read_timeouts(agent, pt_options_get(options, "timeout"));
    read_limits(agent, pt_options_get(options, "limits"));
    check_given_programs(options, agent);
    config->programs = calloc(PT_TYPES_MAX, sizeof *config->programs);
    config->arguments = calloc(PT_TYPES_MAX, sizeof *config->arguments);
    for (size_t n = 0; config->programs && config->arguments && n < agent->type_count; n++)
        read_program(config, n, given_program(options, agent->types[n].job_type),
                     find_entry(entries, count, agent->types[n].job_type), usual);
}
