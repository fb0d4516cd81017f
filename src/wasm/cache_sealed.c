/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "wasm/cache_sealed_internal.h"

#include "base/assert.h"
#include "base/errinfo.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static enum rusm_err fail(struct sealed *sealed, size_t bytes, struct rusm_errinfo *info) {
    int error = errno;
    sealed_discard(sealed);
    return errinfo_set(info, RUSM_ERR_SYSTEM, "a file of %zu bytes in memory: %s", bytes,
                       strerror(error));
}

enum rusm_err sealed_begin(struct sealed *sealed, size_t bytes, struct rusm_errinfo *info) {
    RUSM_ASSERT(bytes > 0);
    *sealed = (struct sealed){.fd = memfd_create("rusm-artefact", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                              .bytes = bytes};
    /* With all pages taken now, a machine without memory is an error here and no SIGBUS later. */
    if (sealed->fd < 0 || fallocate(sealed->fd, 0, 0, (off_t)bytes) != 0) {
        return fail(sealed, bytes, info);
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, sealed->fd, 0);
    if (memory == MAP_FAILED) {
        return fail(sealed, bytes, info);
    }
    sealed->memory = memory;
    return RUSM_OK;
}

static void unmap(struct sealed *sealed) {
    if (sealed->memory) {
        int rc = munmap(sealed->memory, sealed->bytes);
        RUSM_ASSERT(rc == 0);
        sealed->memory = NULL;
    }
}

enum rusm_err sealed_end(struct sealed *sealed, struct rusm_errinfo *info) {
    /* The seal is refused while the file can be written through a mapping. */
    unmap(sealed);
    int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    return fcntl(sealed->fd, F_ADD_SEALS, seals) == 0 ? RUSM_OK : fail(sealed, sealed->bytes, info);
}

void sealed_discard(struct sealed *sealed) {
    unmap(sealed);
    if (sealed->fd >= 0) {
        (void)close(sealed->fd);
    }
    *sealed = (struct sealed){.fd = -1};
}
