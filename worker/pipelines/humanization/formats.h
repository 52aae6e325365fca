/*
 *  What a result says of a nanobody, and of an scFv.
 */
#ifndef PT_HUMANIZATION_FORMATS_H
#define PT_HUMANIZATION_FORMATS_H

#include "worker/pipelines/humanization/humanization.h"
#include <jansson.h>

/* `from` with the stretch [start, end) replaced by `with`; `to` has room for both. */
void pt_splice(const char *from, size_t length, size_t start, size_t end, const char *with,
               char *to);

/* {hallmarks: [{imgt, parental, residue, vhh, vh, human}], hallmark_type, kept, cdr3_length,
 * extra_cysteines, nearest_human_v: {before, after}} */
json_t *pt_json_vhh_analysis(const pt_humanized_t *h);

/* {order, domains, humanized_domains: [{domain, start, end}], leader, linker, linker_length, tail,
 * humanized_sequence}: linker, order and ends are the parent's. */
json_t *pt_json_scfv_analysis(const pt_molecule_t *molecule, const pt_humanization_t *r);

#endif
