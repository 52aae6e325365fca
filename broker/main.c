/* paratope-broker: hands jobs from gateways to workers, and events from them to whoever listens. */
#include "broker/broker.h"
#include "proto/program/log.h"
#include "proto/program/options.h"
#include "proto/program/process.h"

static const pt_option_t options_table[] = {
    {"gateways", "PARATOPE_BROKER_GATEWAYS", NULL, PT_OPTION_ONE, "ENDPOINT",
     "where gateways connect, e.g. tcp://127.0.0.1:7401"},
    {"workers", "PARATOPE_BROKER_WORKERS", NULL, PT_OPTION_ONE, "ENDPOINT",
     "where workers connect"},
    {"events-in", "PARATOPE_EVENTS_IN", NULL, PT_OPTION_ONE, "ENDPOINT",
     "where workers and gateways publish"},
    {"events", "PARATOPE_EVENTS", NULL, PT_OPTION_ONE, "ENDPOINT", "where subscribers connect"},
    {"metrics", "PARATOPE_METRICS", NULL, PT_OPTION_ONE, "HOST:PORT",
     "serve GET /metrics for Prometheus"},
    {PT_OPTION_KEYS},
    {"authorised", "PARATOPE_AUTHORISED", NULL, PT_OPTION_ONE, "DIR",
     "with --keys: the certificates that are let in, instead of authorised/ in that folder"},
    {PT_OPTION_INSECURE},
    {NULL},
};

static const char *const endpoint_options[] = {"gateways", "workers", "events-in", "events", NULL};

static void leave(int signal)
{
    (void)signal;
    _exit(1);
}

/* From here on a second signal ends the process at once; a handler, because for process 1 the
   kernel ignores signals that have none. */
static void heed_next_signal(void)
{
    struct sigaction action = {.sa_handler = leave};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* To be freed; NULL without --keys. */
static char *authorised_folder(const pt_options_t *options)
{
    const char *keys = pt_options_get(options, "keys");
    const char *folder = pt_options_get(options, "authorised");
    return folder ? strdup(folder) : keys ? zsys_sprintf("%s/authorised", keys) : NULL;
}

static int serve(const pt_options_t *options, const pt_keyring_t *keyring)
{
    int signals = pt_process_start();
    char *authorised = authorised_folder(options);
    pt_broker_t *broker = pt_broker_new(&(pt_broker_endpoints_t){
        .gateways = pt_options_get(options, "gateways"),
        .workers = pt_options_get(options, "workers"),
        .events_in = pt_options_get(options, "events-in"),
        .events = pt_options_get(options, "events"),
        .metrics = pt_options_get(options, "metrics"),
        .keyring = keyring,
        .authorised = authorised,
    });
    zstr_free(&authorised);
    if (!broker)
        return 1;
    pt_log(PT_INFO, "ready", PT_S("gateways", pt_options_get(options, "gateways")),
           PT_S("workers", pt_options_get(options, "workers")),
           PT_S("events_in", pt_options_get(options, "events-in")),
           PT_S("events", pt_options_get(options, "events")),
           PT_S("encryption", pt_keyring_has(keyring) ? "curve" : "none"));
    pt_broker_run(broker, signals);
    heed_next_signal();
    pt_log(PT_INFO, "stopping");
    pt_broker_destroy(&broker);
    zsys_shutdown(); /* waits for the last messages, at most as long as they linger */
    close(signals);
    return 0;
}

int main(int argc, char **argv)
{
    pt_log_open("paratope-broker");
    pt_options_t *options = pt_options_new(
        "paratope-broker", "paratope-broker --gateways E --workers E --events-in E --events E",
        options_table, argc, argv);
    pt_options_take_none(options);
    for (size_t i = 0; endpoint_options[i]; i++)
        pt_options_demand(options, endpoint_options[i]);
    pt_keyring_t keyring;
    pt_keyring_open(&keyring, options, "paratope-broker", "broker", endpoint_options);
    int status = serve(options, &keyring);
    pt_options_destroy(&options);
    return status;
}
