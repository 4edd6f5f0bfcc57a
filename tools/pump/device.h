/* SPDX-License-Identifier: MIT */
/*
 * A "device": moves bytes between a file and the frames without any mapping, as
 * DMA would.  The kernel copies from file to file.  A DMA address is an offset
 * in the frames' file.
 */
#ifndef TOOLS_PUMP_DEVICE_H
#define TOOLS_PUMP_DEVICE_H

#include <pkmap/dma.h>
#include <stdbool.h>
#include <sys/types.h>

struct device {
	struct pkmap_dma_device dma;
	int from;
	int to;		     /* the device moves its file position */
	unsigned int method; /* the first that has not failed yet */
	bool failed_writing; /* whether the last error was in writing */
};

/*
 * Copies @len bytes.  Returns how many were copied: fewer than @len only at the
 * end of the file; or -1 with errno and failed_writing set.
 */
ssize_t device_copy(struct device *dev, off_t from, off_t to, size_t len);

/* The name of the system call that the device uses. */
const char *device_method(const struct device *dev);

#endif /* TOOLS_PUMP_DEVICE_H */
