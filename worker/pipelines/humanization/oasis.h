/*
 *  Humanness by an OASis database (Prihoda et al. 2022): in how many people's repertoires each
 * 9-mer of an antibody was seen. The operator names the database, SQLite as BioPhi distributes it;
 * it is never part of the project.
 */
#ifndef PT_HUMANIZATION_OASIS_H
#define PT_HUMANIZATION_OASIS_H

#include "worker/pipelines/molecule.h"

#define PT_OASIS_ENV "PARATOPE_OASIS" /* the environment variable that names the file */
#define PT_OASIS_THRESHOLDS 4

/* Shares of people from which BioPhi calls a 9-mer human: loose, relaxed, medium, strict. */
extern const char *const pt_oasis_threshold_names[PT_OASIS_THRESHOLDS];

/* Over the 9-mers of an antibody's domains, each 0 to 1. */
typedef struct {
    double mean, median;                  /* share of people who have a 9-mer */
    double identity[PT_OASIS_THRESHOLDS]; /* share of 9-mers that enough people have */
} pt_oasis_score_t;

typedef struct pt_oasis pt_oasis_t;

/* NULL with *error (oasis_unavailable) when it cannot be opened or is no such database. */
pt_oasis_t *pt_oasis_open(const char *path, pt_error_t *error);
void pt_oasis_close(pt_oasis_t **self);

/* False with *error when the database cannot be read. */
bool pt_oasis_score(pt_oasis_t *self, const pt_domain_t *const domains[], size_t count,
                    pt_oasis_score_t *score, pt_error_t *error);

/* "oas.db, 118 people (heavy), 52 (light)": borrowed. */
const char *pt_oasis_version(const pt_oasis_t *self);

#endif
