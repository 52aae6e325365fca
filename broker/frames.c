#include "broker/frames.h"

static bool read_part(zmq_msg_t *part, void *socket)
{
    zmq_msg_init(part);
    if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) >= 0)
        return true;
    zmq_msg_close(part);
    return false;
}

static void skip_rest(void *socket)
{
    zmq_msg_t part;
    bool more = true;
    while (more && read_part(&part, socket)) {
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
}

bool pt_frames_read(pt_frames_t *self, void *socket)
{
    self->count = 0;
    self->more = true;
    while (self->more && self->count < PT_FRAMES_MAX) {
        zmq_msg_t *part = &self->parts[self->count];
        if (!read_part(part, socket))
            break;
        self->count++;
        self->more = zmq_msg_more(part);
    }
    if (self->more && self->count == PT_FRAMES_MAX)
        skip_rest(socket);
    return self->count > 0;
}

void pt_frames_clear(pt_frames_t *self)
{
    while (self->count > 0)
        zmq_msg_close(&self->parts[--self->count]);
}

void pt_frames_send(pt_frames_t *self, void *socket)
{
    for (size_t i = 0; i < self->count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < self->count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&self->parts[i], socket, flags) < 0)
            break;
    }
    pt_frames_clear(self); /* a part that was sent is empty now */
}

static void free_payload(void *payload, void *hint)
{
    (void)hint;
    free(payload);
}

bool pt_frames_post(void *socket, const pt_route_t *to, const void *header, size_t header_size,
                    void *payload, size_t size)
{
    zmq_msg_t last;
    if (payload && zmq_msg_init_data(&last, payload, size, free_payload, NULL) != 0) {
        free(payload);
        return false;
    }
    /* Only the first part can find no way: libzmq takes a message whole or not at all. */
    int more = payload ? ZMQ_SNDMORE : 0;
    bool sent = zmq_send(socket, to->bytes, to->size, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0 &&
                zmq_send(socket, header, header_size, ZMQ_DONTWAIT | more) >= 0 &&
                (!payload || zmq_msg_send(&last, socket, ZMQ_DONTWAIT) >= 0);
    if (payload && !sent)
        zmq_msg_close(&last);
    return sent;
}

void pt_connection_cut(int fd)
{
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

const void *pt_frames_data(pt_frames_t *self, size_t i)
{
    return i < self->count ? zmq_msg_data(&self->parts[i]) : NULL;
}

size_t pt_frames_size(pt_frames_t *self, size_t i)
{
    return i < self->count ? zmq_msg_size(&self->parts[i]) : 0;
}
