/*
 *  Results as JSON values: the one description from which the msgpack of a job and the lines of the
 * tools are both made. Every function returns a new reference; NULL only when memory is out.
 */
#ifndef PT_RENDER_H
#define PT_RENDER_H

#include "worker/pipelines/antibody/germline.h"
#include "worker/pipelines/antibody/humanness.h"
#include "worker/pipelines/antibody/regions.h"
#include "worker/pipelines/antibody/schemes.h"
#include "worker/pipelines/molecule.h"
#include <jansson.h>

/* Rounded, so that a result's text is short; never NaN or infinite. */
json_t *pt_json_number(double value);

/* Text of any bytes: what is not UTF-8 becomes '?'. */
json_t *pt_json_text(const char *text);

/* [["1", "Q"], ["2", "V"], …]: a residue for each position. */
json_t *pt_json_positions(const pt_position_t *positions, const char *residues, size_t length);

/* {scheme, chain_type, positions, cdrs: {imgt: {cdr1: {first, last, start, end, sequence}, …},
 * kabat}}; in IMGT's, and `scheme` says so, where a loop is longer than the scheme can name. */
json_t *pt_json_numbering(const pt_domain_t *domain, pt_scheme_t scheme);

/* What a failed job had reached: {reached, at_fault, domains: [{domain, chain_type, start, end,
 * nearest_v}]}, the domains being those that were found. */
json_t *pt_json_partial(const char *reached, const char *at_fault, const pt_molecule_t *molecule);

/* {gene, identity, species} */
json_t *pt_json_germline(const pt_germline_match_t *match);

/* {score, germline_identity, …} */
json_t *pt_json_humanness(const pt_humanness_t *humanness);
json_t *pt_json_humanness_method(void);

#endif
