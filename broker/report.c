#include "broker/report.h"

static const char *const sides[PT_SIDES] = {"gateways", "workers"};

static void head(FILE *to, const char *name, const char *kind, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void gauge(FILE *to, const char *name, const char *help, size_t value)
{
    head(to, name, "gauge", help);
    fprintf(to, "%s %zu\n", name, value);
}

typedef size_t pick_t(const pt_type_stats_t *type);

static size_t queued(const pt_type_stats_t *type)
{
    return type->queued;
}

static size_t leased(const pt_type_stats_t *type)
{
    return type->leased;
}

static size_t slots(const pt_type_stats_t *type)
{
    return type->slots;
}

static size_t free_slots(const pt_type_stats_t *type)
{
    return type->free;
}

static size_t credit(const pt_type_stats_t *type)
{
    return (size_t)type->credit;
}

static const struct {
    const char *name, *help;
    pick_t *pick;
} type_gauges[] = {
    {"paratope_broker_queue_length", "Jobs that wait for a slot.", queued},
    {"paratope_broker_leases", "Jobs that a worker holds, until they are settled.", leased},
    {"paratope_broker_slots", "Slots of the workers heard on both paths.", slots},
    {"paratope_broker_free_slots", "Slots that a job could be given to.", free_slots},
    {"paratope_broker_credit", "Jobs that gateways may still send.", credit},
};

static void report_types(FILE *to, const pt_scheduler_stats_t *stats)
{
    for (size_t g = 0; g < sizeof type_gauges / sizeof *type_gauges; g++) {
        head(to, type_gauges[g].name, "gauge", type_gauges[g].help);
        for (size_t i = 0; i < stats->type_count; i++)
            fprintf(to, "%s{job_type=\"%s\"} %zu\n", type_gauges[g].name, stats->types[i].job_type,
                    type_gauges[g].pick(&stats->types[i]));
    }
}

static void report_peers(FILE *to, const pt_scheduler_stats_t *stats)
{
    head(to, "paratope_broker_peers", "gauge", "Sessions, by role.");
    fprintf(to, "paratope_broker_peers{role=\"gateway\"} %zu\n", stats->gateways);
    fprintf(to, "paratope_broker_peers{role=\"worker\"} %zu\n", stats->workers);
    gauge(to, "paratope_broker_workers_heard", "Workers heard on the event path too.",
          stats->heard);
    gauge(to, "paratope_broker_queue_bytes", "Inputs of the jobs that wait.", stats->bytes);
}

static void report_verbs(FILE *to, const char *way, const uint64_t n[PT_SIDES][PT_VERBS])
{
    for (int side = 0; side < PT_SIDES; side++)
        for (int verb = 0; verb < PT_VERBS; verb++)
            if (n[side][verb])
                fprintf(to,
                        "paratope_broker_messages_total{socket=\"%s\",way=\"%s\",verb=\"%s\"} "
                        "%llu\n",
                        sides[side], way, pt_verb_name((pt_verb_t)verb),
                        (unsigned long long)n[side][verb]);
}

static void report_events(FILE *to, const pt_events_t *events)
{
    head(to, "paratope_broker_events_total", "counter", "Messages of the event path, by verb.");
    const pt_counters_t *passed = pt_events_passed(events);
    for (size_t i = 0; i < PT_COUNTERS_MAX; i++) {
        const char *verb = atomic_load(&passed->items[i].reason);
        if (verb)
            fprintf(to, "paratope_broker_events_total{verb=\"%s\"} %llu\n", verb,
                    (unsigned long long)atomic_load(&passed->items[i].n));
    }
}

static void report_drops(FILE *to, const pt_scheduler_stats_t *stats, const pt_traffic_t *traffic,
                         const pt_events_t *events)
{
    static const char name[] = "paratope_broker_dropped_total";
    head(to, name, "counter", "Messages that were not followed, by socket and reason.");
    for (int side = 0; side < PT_SIDES; side++)
        pt_counters_print(&traffic->dropped[side], to, name, sides[side]);
    for (int drop = 0; drop < PT_DROPS; drop++)
        fprintf(to, "%s{socket=\"jobs\",reason=\"%s\"} %llu\n", name, pt_drop_name((pt_drop_t)drop),
                (unsigned long long)stats->drops[drop]);
    pt_counters_print(pt_events_dropped(events), to, name, "events");
}

void pt_report(FILE *to, const pt_scheduler_stats_t *stats, const pt_traffic_t *traffic,
               const pt_events_t *events)
{
    report_types(to, stats);
    report_peers(to, stats);
    head(to, "paratope_broker_messages_total", "counter", "Messages of the job sockets, by verb.");
    report_verbs(to, "in", traffic->received);
    report_verbs(to, "out", traffic->sent);
    report_events(to, events);
    report_drops(to, stats, traffic, events);
}

void pt_report_descriptors(FILE *to, size_t open, size_t most)
{
    gauge(to, "paratope_broker_descriptors", "Open files and connections.", open);
    gauge(to, "paratope_broker_descriptors_max", "Newcomers are refused above 80 % of it.", most);
}

void pt_report_keys(FILE *to, size_t certificates, const pt_counters_t *refused)
{
    gauge(to, "paratope_broker_certificates", "Certificates that may connect.", certificates);
    head(to, "paratope_broker_refused_total", "counter", "Connections refused, by reason.");
    pt_counters_print(refused, to, "paratope_broker_refused_total", "all");
}
