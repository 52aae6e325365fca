/*
 *  Makes a model of a variable domain or an Fv by the structure pipeline, `paratope-structure`, as
 * a child process that speaks proto/PIPELINE.md.
 */
#ifndef PT_FOLD_MODELLER_H
#define PT_FOLD_MODELLER_H

#include "worker/pipelines/molecule.h"
#include <jansson.h>

#define PT_MODELLER "paratope-structure"
#define PT_MODELLER_SECONDS 300 /* it is killed after that */

typedef void (*pt_modeller_progress_fn)(const char *step, double fraction, void *context);

/*
 *  The ending of a structure job for these domains: {results, files, model_versions}, a new
 * reference. NULL with *error: `no_structure_engine` where the program is not installed beside this
 * one or in PATH, `structure_timeout`, or `structure_failed` with what it said. Progress is called
 * at least twice a second.
 */
json_t *pt_model_make(const pt_molecule_t *molecule, pt_modeller_progress_fn progress,
                      void *context, pt_error_t *error);

#endif
