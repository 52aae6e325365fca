/* civetweb alone: reads a submission, parses its JSON and answers 202 with a body like the
   gateway's; no token, no check, no database. bare_http HOST:PORT THREADS; ends with its input. */
#include <civetweb.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void answer(struct mg_connection *connection, const char *variant, const char *job_type)
{
    char body[512], all[1024];
    int size = snprintf(body, sizeof body,
                        "{\"id\":\"01938f6e-0000-7000-8000-000000000000\",\"variant_id\":\"%s\","
                        "\"job_type\":\"%s\",\"status\":\"pending\","
                        "\"created_at\":\"2026-01-31T12:00:00.000000+00:00\",\"started_at\":null,"
                        "\"completed_at\":null,\"error_message\":null}",
                        variant, job_type);
    int total = snprintf(all, sizeof all,
                         "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
                         "Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%s",
                         size, body);
    mg_write(connection, all, (size_t)total);
}

static int on_request(struct mg_connection *connection)
{
    char text[4096];
    int size = mg_read(connection, text, sizeof text);
    json_t *body = json_loadb(text, size > 0 ? (size_t)size : 0, 0, NULL);
    const char *variant = json_string_value(json_object_get(body, "variant_id"));
    const char *job_type = json_string_value(json_object_get(body, "job_type"));
    if (!variant || !job_type || strlen(variant) != 36 || strlen(job_type) > 31)
        mg_send_http_error(connection, 400, "no submission");
    else
        answer(connection, variant, job_type);
    json_decref(body);
    return 202;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *options[] = {"listening_ports",    argv[1], "num_threads",           argv[2],
                             "listen_backlog",     "4096",  "connection_queue",      "512",
                             "request_timeout_ms", "5000",  "enable_keep_alive",     "yes",
                             "tcp_nodelay",        "1",     "keep_alive_timeout_ms", "2000",
                             NULL};
    const struct mg_callbacks callbacks = {.begin_request = on_request};
    mg_init_library(MG_FEATURES_DEFAULT);
    struct mg_context *context = mg_start(&callbacks, NULL, options);
    if (!context)
        return 1;
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    _exit(0); /* mg_stop takes its time */
}
