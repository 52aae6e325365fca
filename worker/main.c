/* paratope-worker: runs pipelines on this machine for a broker. */
#include "proto/program/log.h"
#include "proto/program/options.h"
#include "proto/program/process.h"
#include "worker/types.h"
#include "worker/worker.h"

#include <czmq.h>
#include <fcntl.h>

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
    {"pipelines", NULL, NULL, PT_OPTION_TREE, "TYPE.KEY=VALUE",
     "of a job type: program, arguments, slots, limits, timeout, options, title, version, wants"},
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

/* Splits at spaces; the words live as long as the program. */
static size_t split(const char *text, char **words, size_t most)
{
    char word[256];
    size_t n = 0;
    while (pt_word(text, n, word, sizeof word)) {
        if (n == most)
            pt_worker_refuse("too many", text);
        words[n++] = strdup(word);
    }
    return n;
}

static void read_grace(pt_agent_config_t *agent, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long seconds = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || seconds > GRACE_MOST_S)
        pt_worker_refuse("the grace time is a number of seconds, at most a day", text);
    agent->grace_ms = (int64_t)seconds * 1000;
}

/* In the folder of the running binary. To be freed; never is. */
static char *own_program(const char *name)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0)
        pt_worker_refuse("cannot read", "/proc/self/exe");
    path[size] = 0;
    *strrchr(path, '/') = 0;
    return zsys_sprintf("%s/%s", path, name);
}

static void read_programs(pt_worker_config_t *config, const pt_options_t *options)
{
    pt_types_read(config, options, own_program("paratope-pipeline"));
    config->keeper = own_program("paratope-keeper");
    if (access(config->keeper, X_OK) != 0)
        pt_worker_refuse(strerror(errno), config->keeper);
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
        pt_worker_refuse("--brokers and --events-in must name as many endpoints", events_in);
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
        pt_worker_refuse("the name must be text of at most 127 bytes", name);
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
        pt_worker_refuse("no descriptor for signals", strerror(errno));
    pt_log(PT_INFO, "worker started", PT_S("name", config.agent.machine),
           PT_N("slots", pt_types_slots(&config.agent)), PT_N("pid", getpid()));
    int status = pt_worker_run(&config);
    pt_log(PT_INFO, "worker ended", PT_N("status", status));
    pt_options_destroy(&options);
    zsys_shutdown();
    return status;
}
