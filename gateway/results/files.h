/* The files that come with a result (PIPELINE.md, `files`): what people download. Pure. */
#ifndef PT_RESULT_FILES_H
#define PT_RESULT_FILES_H

#include "proto/value.h"

#define PT_FILES_MAX 16
#define PT_FILE_NAME_MAX 64
#define PT_FILE_TYPE_MAX 100

/* 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`; neither `.` nor `..`, which mean something else in a
   path. */
bool pt_file_name_valid(const char *name, size_t size);

/* As it can stand in an answer's head: type/subtype, maybe with parameters such as
   `; charset=utf-8`. */
bool pt_media_type_valid(const char *type, size_t size);

/* Whether the value is a map of names to {media_type, content}, all as they may be. Returns NULL,
   or what is not acceptable. */
const char *pt_result_files_check(pt_span_t value);

#endif
