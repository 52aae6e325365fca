/* Answers workers that fetch large inputs: from the table, of a job that this gateway sent or, when
 * that one is gone, that the leader is asked for. The thread, its queue and what it keeps in
 * memory.
 */
#ifndef PT_SUPPLIER_H
#define PT_SUPPLIER_H

#include "gateway/links/links.h"

#define PT_SUPPLIER_BYTES                                                                          \
    (2 * (size_t)PT_LARGE_MAX) /* of inputs in memory, and the one being read */
#define PT_SUPPLIER_QUEUE 256  /* fetches; above that they are dropped, and asked again */

typedef struct pt_supplier pt_supplier_t;

/* Starts the thread. `links` is borrowed. */
pt_supplier_t *pt_supplier_new(const char *uri, pt_links_t *links);
void pt_supplier_destroy(pt_supplier_t **self);

/* A fetch that came from that broker; from the links' thread. */
void pt_supplier_asked(pt_supplier_t *self, const pt_ticket_t *from, const pt_msg_t *fetch);

/* Pieces that were sent. */
uint64_t pt_supplier_sent(const pt_supplier_t *self);

#endif
