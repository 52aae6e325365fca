/* paratope-worker: runs pipelines on this machine for a broker. */
#include "proto/program/log.h"
#include "proto/program/options.h"
#include "proto/program/process.h"
#include "worker/worker.h"

#include <czmq.h>
#include <fcntl.h>

#define TIMEOUT_S 3600
#define TIMEOUT_MOST_S (365 * 24 * 3600)
#define GRACE_MOST_S (24 * 3600)
#define BROKERS_MAX 64

static const pt_option_t options_table[] = {
    {"brokers", "PARATOPE_BROKER_WORKERS", NULL, PT_OPTION_ONE, "\"EP EP\"",
     "job endpoints of the brokers; one is served at a time"},
    {"events-in", "PARATOPE_EVENTS_IN", NULL, PT_OPTION_ONE, "\"EP EP\"",
     "their event endpoints, in the same order"},
    {"name", "PARATOPE_WORKER_NAME", NULL, PT_OPTION_ONE, "NAME",
     "of this worker, the same at each start [HOST-PID]"},
    {"slots", "PARATOPE_SLOTS", NULL, PT_OPTION_ONE, "\"TYPE=N ...\"",
     "job types, and how many jobs of each at once [humanization=CORES]"},
    {"pipeline", NULL, NULL, PT_OPTION_MANY, "TYPE=PROGRAM",
     "the program of a job type [paratope-pipeline TYPE]"},
    {"timeout", "PARATOPE_TIMEOUTS", NULL, PT_OPTION_ONE, "\"TYPE=S ...\"",
     "seconds after which a job is stopped [3600 each]"},
    {"limits", "PARATOPE_LIMITS", NULL, PT_OPTION_ONE, "\"TYPE:LIMITS ...\"",
     "of a pipeline process, such as memory=2G,cpu=3600,files=64 [none]"},
    {"grace", "PARATOPE_GRACE", "30", PT_OPTION_ONE, "S",
     "seconds that running jobs have to finish after SIGTERM; then they are handed back"},
    {"spool", "PARATOPE_SPOOL", NULL, PT_OPTION_ONE, "DIR",
     "a folder of its own for large results [a private one, temporary]"},
    {PT_OPTION_KEYS},
    {PT_OPTION_INSECURE},
    {0}};

static const char *const endpoint_options[] = {"brokers", "events-in", NULL};

_Noreturn static void refuse(const char *what, const char *which)
{
    fprintf(stderr, "paratope-worker: %s: %s\n", what, which);
    exit(2);
}

/* Splits at spaces; the words live as long as the program. */
static size_t split(const char *text, char **words, size_t most)
{
    char word[256];
    size_t n = 0;
    while (pt_word(text, n, word, sizeof word)) {
        if (n == most)
            refuse("too many", text);
        words[n++] = strdup(word);
    }
    return n;
}

/* "TYPE=N": the number, or no return. The type is copied. */
static size_t read_count(const char *word, char job_type[PT_TYPE_MAX], size_t most)
{
    const char *equals = strchr(word, '=');
    char *end = NULL;
    if (!equals || !pt_job_type_valid(word, (size_t)(equals - word)))
        refuse("not JOB_TYPE=NUMBER", word);
    errno = 0;
    unsigned long n = strtoul(equals + 1, &end, 10);
    if (errno || end == equals + 1 || *end || n == 0 || n > most || equals[1] == '-')
        refuse("the number must be from 1 up to a sensible one", word);
    memcpy(job_type, word, (size_t)(equals - word));
    job_type[equals - word] = 0;
    return n;
}

static pt_agent_type_t *find_type(pt_agent_config_t *agent, const char *job_type)
{
    for (size_t i = 0; i < agent->type_count; i++)
        if (streq(agent->types[i].job_type, job_type))
            return &agent->types[i];
    return NULL;
}

static void read_slots(pt_agent_config_t *agent, const char *text)
{
    char word[256];
    size_t total = 0;
    while (pt_word(text, agent->type_count, word, sizeof word)) {
        if (agent->type_count == PT_TYPES_MAX)
            refuse("too many job types", text);
        pt_agent_type_t *type = &agent->types[agent->type_count];
        type->slots = read_count(word, type->job_type, PT_SLOTS_MAX);
        if (find_type(agent, type->job_type))
            refuse("a job type twice in --slots", word);
        type->timeout_ms = (int64_t)TIMEOUT_S * 1000;
        agent->type_count++;
        total += type->slots;
    }
    if (total == 0 || total > PT_SLOTS_MAX)
        refuse("a worker has 1 to 256 slots in all", text);
}

static void read_timeouts(pt_agent_config_t *agent, const char *text)
{
    char word[256], job_type[PT_TYPE_MAX];
    for (size_t n = 0; text && pt_word(text, n, word, sizeof word); n++) {
        size_t seconds = read_count(word, job_type, TIMEOUT_MOST_S);
        pt_agent_type_t *type = find_type(agent, job_type);
        if (!type)
            refuse("a time-out for a job type without slots", word);
        type->timeout_ms = (int64_t)seconds * 1000;
    }
}

/* Words such as TYPE:memory=2G,cpu=3600. */
static void read_limits(pt_agent_config_t *agent, const char *text)
{
    char word[256];
    for (size_t n = 0; text && pt_word(text, n, word, sizeof word); n++) {
        char *limits = strchr(word, ':');
        if (!limits)
            refuse("not JOB_TYPE:LIMITS", word);
        *limits++ = 0;
        pt_agent_type_t *type = find_type(agent, word);
        if (!type)
            refuse("limits for a job type without slots", word);
        const char *why = pt_limits_read(&type->limits, limits);
        if (why)
            refuse(why, limits);
    }
}

static void read_grace(pt_agent_config_t *agent, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long seconds = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || seconds > GRACE_MOST_S)
        refuse("the grace time is a number of seconds, at most a day", text);
    agent->grace_ms = (int64_t)seconds * 1000;
}

/* TYPE=PROGRAM of --pipeline, or NULL. */
static const char *configured_program(const pt_options_t *options, const char *job_type)
{
    const char *found = NULL, *option;
    size_t size = strlen(job_type);
    for (size_t n = 0; (option = pt_options_nth(options, "pipeline", n)); n++)
        if (strncmp(option, job_type, size) == 0 && option[size] == '=')
            found = option + size + 1;
    return found;
}

static void check_pipelines(const pt_options_t *options, pt_agent_config_t *agent)
{
    const char *option;
    for (size_t n = 0; (option = pt_options_nth(options, "pipeline", n)); n++) {
        char job_type[PT_TYPE_MAX] = "";
        size_t size = strcspn(option, "=");
        if (option[size] != '=' || !option[size + 1] || !pt_job_type_valid(option, size))
            refuse("not JOB_TYPE=PROGRAM", option);
        memcpy(job_type, option, size);
        if (!find_type(agent, job_type))
            refuse("a pipeline for a job type without slots", option);
    }
}

/* In the folder of the running binary. To be freed; never is. */
static char *own_program(const char *name)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0)
        refuse("cannot read", "/proc/self/exe");
    path[size] = 0;
    *strrchr(path, '/') = 0;
    return zsys_sprintf("%s/%s", path, name);
}

static void read_programs(pt_worker_config_t *config, const pt_options_t *options)
{
    pt_agent_config_t *agent = &config->agent;
    check_pipelines(options, agent);
    config->programs = zmalloc(agent->type_count * sizeof *config->programs);
    config->arguments = zmalloc(agent->type_count * sizeof *config->arguments);
    const char *usual = own_program("paratope-pipeline");
    config->keeper = own_program("paratope-keeper");
    if (access(config->keeper, X_OK) != 0)
        refuse(strerror(errno), config->keeper);
    for (size_t i = 0; i < agent->type_count; i++) {
        const char *job_type = agent->types[i].job_type;
        const char *program = configured_program(options, job_type);
        config->programs[i] = program ? program : usual;
        config->arguments[i] = program ? NULL : job_type;
    }
}

static void read_brokers(pt_worker_config_t *config, const pt_options_t *options)
{
    config->brokers = zmalloc(BROKERS_MAX * sizeof *config->brokers);
    config->events_in = zmalloc(BROKERS_MAX * sizeof *config->events_in);
    const char *brokers = pt_options_demand(options, "brokers");
    const char *events_in = pt_options_demand(options, "events-in");
    config->agent.brokers = split(brokers, config->brokers, BROKERS_MAX);
    if (config->agent.brokers == 0 ||
        split(events_in, config->events_in, BROKERS_MAX) != config->agent.brokers)
        refuse("--brokers and --events-in must name as many endpoints", events_in);
    uint32_t random;
    pt_random(&random, sizeof random);
    config->agent.first = random % config->agent.brokers;
}

static void read_name(pt_agent_config_t *agent, const pt_options_t *options)
{
    const char *name = pt_options_get(options, "name");
    char host[65] = "worker";
    if (name && strlen(name) < sizeof agent->machine && pt_text_valid(name, strlen(name)))
        snprintf(agent->machine, sizeof agent->machine, "%s", name);
    else if (name)
        refuse("the name must be text of at most 127 bytes", name);
    else if (gethostname(host, sizeof host - 1) == 0)
        snprintf(agent->machine, sizeof agent->machine, "%s-%d", host, (int)getpid());
    agent->instance = pt_uuid_random();
}

/* Descriptors 0 to 2 exist, so that no pipe or socket takes their place. */
static void hold_standard_streams(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        close(descriptor);
}

static void read_config(pt_worker_config_t *config, const pt_options_t *options)
{
    char usual[64];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(usual, sizeof usual, "humanization=%ld", cores < 1 ? 1 : cores > 256 ? 256 : cores);
    const char *slots = pt_options_get(options, "slots");
    read_slots(&config->agent, slots ? slots : usual);
    read_timeouts(&config->agent, pt_options_get(options, "timeout"));
    read_limits(&config->agent, pt_options_get(options, "limits"));
    read_grace(&config->agent, pt_options_get(options, "grace"));
    read_programs(config, options);
    read_brokers(config, options);
    read_name(&config->agent, options);
    config->spool = pt_options_get(options, "spool");
}

/* The log says by what the memory of pipelines is limited, where it is. */
static void prepare_memory(pt_worker_config_t *config)
{
    char why[1024] = "";
    bool limited = false;
    for (size_t i = 0; i < config->agent.type_count; i++)
        limited = limited || config->agent.types[i].limits.memory;
    if (!limited)
        return;
    if (pt_cgroup_prepare(&config->cgroup, why, sizeof why))
        pt_log(PT_INFO, "memory is limited by cgroups", PT_S("below", config->cgroup.path));
    else
        pt_log(PT_INFO, "memory is limited by RLIMIT_DATA of each process", PT_S("why", why));
}

int main(int argc, char **argv)
{
    static pt_worker_config_t config; /* some kilobytes, and everything in it lives until the end */
    hold_standard_streams();
    pt_log_open("paratope-worker");
    pt_options_t *options =
        pt_options_new("paratope-worker", "paratope-worker [OPTION]…", options_table, argc, argv);
    pt_options_take_none(options);
    read_config(&config, options);
    pt_keyring_open(&config.keyring, options, "paratope-worker", "worker", endpoint_options);
    prepare_memory(&config);
    config.signals = pt_process_start();
    if (config.signals < 0)
        refuse("no descriptor for signals", strerror(errno));
    pt_log(PT_INFO, "worker started", PT_S("name", config.agent.machine),
           PT_N("slots", config.agent.types[0].slots), PT_N("pid", getpid()));
    int status = pt_worker_run(&config);
    pt_log(PT_INFO, "worker ended", PT_N("status", status));
    pt_options_destroy(&options);
    zsys_shutdown();
    return status;
}
