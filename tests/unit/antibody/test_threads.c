#include "sequences.h"

#include "worker/pipelines/antibody/antibody.h"
#include "worker/pipelines/antibody/humanness.h"
#include <pthread.h>
#include <string.h>

/* The gateway calls the core from hundreds of threads at once (TSan looks on in its build). */
enum { THREADS = 8, ROUNDS = 50 };

static const char *const sequences[] = {TRASTUZUMAB_VH, TRASTUZUMAB_VL, MU4D5_VH, MU4D5_VL};

static void *check_often(void *wrong)
{
    for (int i = 0; i < ROUNDS; i++) {
        const char *sequence = sequences[i % 4];
        pt_domain_t domain;
        pt_fault_t fault;
        if (pt_antibody_check(sequence, strlen(sequence), &domain, 1, &fault) != 1 ||
            strcmp(domain.residues, sequence) != 0 || pt_humanness(&domain).score <= 0)
            *(int *)wrong += 1;
    }
    return NULL;
}

static void many_threads_get_the_right_answers(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, check_often, &wrong[t]), 0);
    for (int t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(wrong[t], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_threads_get_the_right_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
