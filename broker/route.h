/* Where a peer is: the routing id that its ROUTER socket gave it. Opaque bytes, unique per side. */
#ifndef PT_ROUTE_H
#define PT_ROUTE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { PT_GATEWAYS, PT_WORKERS, PT_SIDES } pt_side_t;

#define PT_ROUTE_MAX 255 /* ZeroMQ's own limit of a routing id */

typedef struct {
    uint8_t side; /* pt_side_t */
    uint8_t size;
    uint8_t bytes[PT_ROUTE_MAX];
} pt_route_t;

#endif
