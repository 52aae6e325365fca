/*
 *  What a humanization is asked for, beside the antibody.
 */
#ifndef PT_HUMANIZATION_REQUEST_H
#define PT_HUMANIZATION_REQUEST_H

#include "worker/pipelines/antibody/regions.h"

typedef struct {
    pt_cdr_definition_t cdrs;    /* that are kept whole */
    const char *v[2];            /* heavy, light: the V allele to graft on; NULL: the nearest */
    bool keep[2][PT_DOMAIN_MAX]; /* residues of the parental domains that stay */
    double humanness_target;     /* of each chain, for `optimized`; 0 for none */
} pt_humanization_request_t;

#endif
