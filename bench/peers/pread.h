/* SPDX-License-Identifier: MIT */
/* pread.h - the peer "pread": reads the page into a buffer for each access. */
#include "file.h"

static inline void *peer_map(uint32_t pfn)
{
	static _Thread_local char *buffer;

	if (!buffer)
		buffer = ring_next();
	if (pread(file.fd, buffer, page_bytes(), offset_of(pfn)) !=
	    (ssize_t)page_bytes())
		return NULL;
	return buffer;
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	(void)addr;
	return true;
}
