/* What an agent writes to a pipeline: messages that are whole, of any kind. The answers are
 * messages that the agent reads. */
#include "file.h"
#include "worker/pipelines/pipeline.h"
#include "worker/said.h"

static bool compute(const pt_inputs_t *inputs, pt_reporter_t *reporter, pt_answer_t *answer,
                    pt_error_t *error)
{
    size_t length = 0;
    for (size_t i = 0; i < inputs->chain_count; i++)
        for (size_t c = 0; c < inputs->chains[i].length; c++)
            length += inputs->chains[i].sequence[c] != 0;
    pt_report(reporter, "looking", 0.5);
    if (length % 4 == 0)
        return pt_error_set(error, "no_antibody", "of %zu letters", length);
    answer->results =
        json_pack("{s:I, s:[b]}", "letters", (json_int_t)length, "lone", inputs->lone_heavy);
    answer->versions = json_pack("{s:s}", "fuzz", "1");
    return true;
}

/* Whole messages are all that an agent writes. */
static bool is_whole(const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t length = pt_msgpack_length(data, size);
        if (length == 0)
            return false;
        data += length;
        size -= length;
    }
    return true;
}

static void check_answers(int out)
{
    static uint8_t answers[1 << 20];
    ssize_t size = pread(out, answers, sizeof answers, 0);
    pt_said_t said;
    CHECK(size >= 0);
    for (size_t at = 0, length; at < (size_t)size; at += length) {
        length = pt_msgpack_length(answers + at, (size_t)size - at);
        CHECK(length > 0 && pt_said_read(&said, answers + at, length) == NULL);
    }
}

static const char options[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"seed\":{"
    "\"type\":\"integer\",\"minimum\":0,\"default\":0,\"description\":\"x\"}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!is_whole(data, size))
        return -1; /* not for the corpus */
    int in = make_file(data, size), out = make_file("", 0);
    const pt_pipeline_t pipeline = {"humanization", "Fuzzed", "1.0.0", options, NULL, compute};
    pt_pipeline_serve(&pipeline, in, out);
    check_answers(out);
    close(in);
    close(out);
    return 0;
}
